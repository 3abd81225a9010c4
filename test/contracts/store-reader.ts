import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'vitest'
import type { ConversationId, UserId, Version } from '../../server/contract/index.ts'
import type { Change, Store, StoredMessage } from '../../server/domain/ports.ts'
import { type Known, knownBy, rises, statesIn, subjectOf } from './store-subjects.ts'

/** One at a time, pages that end anywhere, and all on one page. */
export const pageSizes = [1, 2, 7, 1_000]

/** No version is above this. */
const always = Number.MAX_SAFE_INTEGER

export interface ChangeRange {
  after: Version
  upTo?: Version
  except?: ConversationId[]
  limit?: number
}

/** The pages of what concerns this user, or everybody (null), joined; they have to be as the port says. */
export const readChanges = async (
  store: Store,
  reader: UserId | null,
  { after, upTo = always, except = [], limit = 1_000 }: ChangeRange,
): Promise<Change[]> => {
  const pages =
    reader === null ? store.allChanges({ after, upTo }, limit) : store.changes(reader, { after, upTo, except }, limit)
  const changes = await joinPages(pages, { after, upTo, limit })
  const subjects = changes.map((change) => subjectOf(knownBy(change)))
  // Where versions are inexact a subject may change once more at or below `upTo` while it is read.
  if (store.overlap === 0)
    expect(subjects, `in pages of ${limit} each subject comes once`).toEqual([...new Set(subjects)])
  return changes
}

/** The messages that this user never got, in pages, joined. */
export const readUndelivered = async (
  store: Store,
  userId: UserId,
  { after, upTo = always, limit = 1_000 }: ChangeRange,
): Promise<StoredMessage[]> => {
  const changes = await joinPages(store.undelivered(userId, { after, upTo }, limit), { after, upTo, limit })
  return changes.map((change) => {
    expect(change.kind).toBe('message')
    return knownBy(change).state as StoredMessage
  })
}

const joinPages = async (
  pages: AsyncIterable<Change[]>,
  { after, upTo, limit }: Required<Omit<ChangeRange, 'except'>>,
): Promise<Change[]> => {
  const changes: Change[] = []
  for await (const page of pages) {
    expect(page.length).toBeLessThanOrEqual(limit)
    changes.push(...page)
  }
  const versions = changes.map(({ version }) => version)
  expect(rises(versions), `pages of ${limit} rise by version`).toBe(true)
  expect(versions.every((version) => after < version && version <= upTo)).toBe(true)
  for (const change of changes) expectWellFormed(change)
  return changes
}

const expectWellFormed = (change: Change): void => {
  const { state } = knownBy(change)
  expect(change.conversationId).toBe('conversationId' in state ? state.conversationId : null)
  // The state may be later than the change, never earlier.
  expect(state.version).toBeGreaterThanOrEqual(change.version)
}

/**
 * Where versions are inexact, a reader goes back by the overlap: then changes repeat, and none of these may be missing at
 * its latest state.
 */
export const expectNothingOmitted = async (
  store: Store,
  reader: UserId | null,
  after: Version,
  expected: Change[],
  limit = 1_000,
): Promise<void> => {
  if (store.overlap === 0) return
  const found = statesIn(await readChanges(store, reader, { after: after - store.overlap, limit }))
  for (const [subject, state] of statesIn(expected)) expect(found.get(subject), subject).toEqual(state)
}

/**
 * For a store that was closed, or killed, and opened again: all that was acknowledged and has changed after a version is
 * found by a reader of that version, at that state or at a later one, which the store may have kept without telling.
 */
export const expectFoundAgain = async (
  store: Store,
  reader: UserId | null,
  after: Version,
  acknowledged: Known[],
): Promise<void> => {
  const upTo = Math.max(...acknowledged.map(({ state }) => state.version))
  while ((await store.version()) < upTo) await nextTurn()
  const changes = await readChanges(store, reader, { after: after - store.overlap, limit: 500 })
  const found = statesIn(changes)
  const latest = new Map<string, Known['state']>()
  for (const known of acknowledged) {
    const subject = subjectOf(known)
    if (known.state.version > Math.max(after, latest.get(subject)?.version ?? 0)) latest.set(subject, known.state)
  }
  const expected = new Map(
    Array.from(latest, ([subject, state]) => {
      const now = found.get(subject)
      return [subject, now && now.version > state.version ? now : state]
    }),
  )
  const again = new Map(Array.from(latest.keys(), (subject) => [subject, found.get(subject)]))
  expect(again).toEqual(expected)
}

/** Reads on again and again as a client does, and keeps the latest state of each subject that it was given. */
export const storeFollower = (store: Store, reader: UserId | null, from: Version, limit: number) => {
  const states = new Map<string, Known['state']>()
  let position = from
  let lastVersion = from
  /** The numbers of the messages that were new, by conversation, as they came. */
  const seqs = new Map<ConversationId, number[]>()

  const accept = (change: Change) => {
    const { state } = knownBy(change)
    const subject = subjectOf(knownBy(change))
    const known = states.get(subject)
    if (change.kind === 'messageChanged') expect(known, `${subject} was new before it changed`).toBeDefined()
    if (store.overlap === 0) {
      expect(change.version, 'exact versions repeat nothing').toBeGreaterThan(lastVersion)
      lastVersion = change.version
      if (change.kind === 'message') {
        expect(known, `${subject} is new once`).toBeUndefined()
        const { conversationId, seq } = change.message
        seqs.set(conversationId, [...(seqs.get(conversationId) ?? []), seq])
      }
    }
    if (!known || state.version > known.version) states.set(subject, state)
  }

  return {
    states,
    /** From the overlap below where it stands up to the present. */
    async readOn(): Promise<Version> {
      const upTo = await store.version()
      for (const change of await readChanges(store, reader, { after: position - store.overlap, upTo, limit }))
        accept(change)
      position = upTo
      return position
    },
    expectOrder(): void {
      for (const [conversationId, numbers] of seqs) expect(rises(numbers), `the order of ${conversationId}`).toBe(true)
    },
  }
}
