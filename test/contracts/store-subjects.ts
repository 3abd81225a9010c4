import type { Profile, Receipt } from '../../server/contract/index.ts'
import type { Change, StoredMessage } from '../../server/domain/ports.ts'

/** Something that a store keeps and changes, at one of its states. */
export type Known =
  | { kind: 'message'; state: StoredMessage }
  | { kind: 'receipt'; state: Receipt }
  | { kind: 'user'; state: Profile }

/** What a change tells, whether it is new or changed. */
export const knownBy = (change: Change): Known => {
  if (change.kind === 'receipt') return { kind: 'receipt', state: change.receipt }
  return change.kind === 'user' ? { kind: 'user', state: change.user } : { kind: 'message', state: change.message }
}

/** Names the message, the receipt or the profile: the same at every state. */
export const subjectOf = ({ kind, state }: Known): string => {
  if (kind === 'message') return `message ${state.id}`
  return kind === 'user' ? `user ${state.userId}` : `receipt ${state.conversationId} ${state.userId}`
}

/** The states that these changes tell, by subject. */
export const statesIn = (changes: Change[]): Map<string, Known['state']> =>
  new Map(changes.map(knownBy).map((known) => [subjectOf(known), known.state]))

export const rises = (numbers: number[]): boolean => numbers.every((number, i) => i === 0 || number > numbers[i - 1]!)
