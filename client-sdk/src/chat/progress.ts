import type { Receipt } from '../../../server/contract/index.ts'
import { directMembers } from '../../../server/contract/places.ts'
import type { ChatMessage } from './message.ts'

type Place = Pick<Receipt, 'deliveredSeq' | 'readSeq'>

/** How far each member of one conversation is, as far as this client was told. Places only move forward (P6). */
export const createProgress = (conversationId: string, viewer: string) => {
  const places = new Map<string, Place>()
  /** Of a group only a summary tells; until then nobody can say what all of them have. */
  let members: readonly string[] | null = directMembers(conversationId)

  const placeOf = (userId: string): Place => places.get(userId) ?? { deliveredSeq: 0, readSeq: 0 }
  /** Whose places say how far a message of the viewer is. Notes to oneself have no others. */
  const counted = () => (members ?? []).filter((name) => name !== viewer || members?.length === 1)

  return {
    setMembers(names: readonly string[]) {
      members = names
    },
    /** @returns whether it told something new */
    take({ userId, deliveredSeq, readSeq }: Place & { userId: string }): boolean {
      const known = placeOf(userId)
      if (deliveredSeq <= known.deliveredSeq && readSeq <= known.readSeq) return false
      places.set(userId, {
        deliveredSeq: Math.max(deliveredSeq, known.deliveredSeq),
        readSeq: Math.max(readSeq, known.readSeq),
      })
      return true
    },
    /** The server numbers this conversation anew. */
    putBack: () => places.clear(),
    placeOf,
    counts: (userId: string) => counted().includes(userId),
    /** Gives messages their status as it is now: the same message where nothing has changed. */
    marker() {
      const all = counted().map(placeOf)
      const least = (key: keyof Place) => (all.length === 0 ? 0 : Math.min(...all.map((place) => place[key])))
      const [deliveredSeq, readSeq] = [least('deliveredSeq'), least('readSeq')]
      return (message: ChatMessage): ChatMessage => {
        const { seq, status } = message
        if (seq === null || (status !== 'sent' && status !== 'delivered')) return message
        const now = seq <= readSeq ? 'read' : seq <= deliveredSeq ? 'delivered' : status
        return now === status ? message : { ...message, status: now }
      }
    },
  }
}
export type Progress = ReturnType<typeof createProgress>
