import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach } from 'vitest'
import {
  type ConversationId,
  conversationIdOf,
  directMembers,
  type Profile,
  type UserId,
  type Version,
} from '../../server/contract/index.ts'
import type { Change, Draft, Interval, Store, StoredMessage } from '../../server/domain/ports.ts'
import { type Known, subjectOf } from './store-subjects.ts'

/** A store, empty at first; `close` also removes what it left behind. */
export interface OpenedStore {
  store: Store
  close(): Promise<void>
}

type KeptMessage = { kind: 'message'; sentVersion: Version; state: StoredMessage }
/** The latest state of a subject that the store acknowledged. */
type Kept = KeptMessage | Exclude<Known, { kind: 'message' }>

export type StoreWorld = ReturnType<typeof storeWorld>

/** To a user or to a group, whose members are `more.members`. */
export const draft = (sender: UserId, to: string, text: string, more: Partial<Draft> = {}): Draft => {
  const conversationId = conversationIdOf(sender, to)
  const people = directMembers(conversationId)
  return {
    conversationId,
    kind: people ? 'direct' : 'group',
    members: people ?? [sender],
    sender,
    text,
    clientMessageId: null,
    sentAt: new Date(),
    ...more,
  }
}

/**
 * Writes to a store, and keeps what the store acknowledged in the simplest way there is: what the store is compared with.
 * Writes at once are fine, but for changes of members, which rest on the newest message.
 */
export const storeWorld = (storeNow: () => Store) => {
  const acknowledged = new Map<string, Kept>()
  const intervals = new Map<ConversationId, Map<UserId, Interval[]>>()
  const messages = new Map<ConversationId, KeptMessage[]>()

  const keep = (now: Kept) => {
    const subject = subjectOf(now)
    const known = acknowledged.get(subject)
    if (!known || now.state.version > known.state.version) acknowledged.set(subject, now)
  }
  const keepMessage = (message: StoredMessage): StoredMessage => {
    const { conversationId, seq, version } = message
    const inOrder = messages.get(conversationId) ?? []
    messages.set(conversationId, inOrder)
    const known = inOrder[seq - 1]
    if (known && known.state.version >= version) return message
    const now: KeptMessage = { kind: 'message', sentVersion: known?.sentVersion ?? version, state: message }
    inOrder[seq - 1] = now
    acknowledged.set(subjectOf(now), now)
    return message
  }
  const keepProfile = ({ userId, displayName, version }: Profile) => {
    keep({ kind: 'user', state: { userId, displayName, version } })
  }
  const intervalsOf = (conversationId: ConversationId, userId: UserId): Interval[] =>
    intervals.get(conversationId)?.get(userId) ?? []

  const world = {
    get store() {
      return storeNow()
    },
    /** Before another, empty store. */
    forget(): void {
      for (const known of [acknowledged, intervals, messages]) known.clear()
    },

    async send(sender: UserId, to: string, text: string, more: Partial<Draft> = {}): Promise<StoredMessage> {
      const said = draft(sender, to, text, more)
      const { message } = await world.store.append(said)
      if (!intervals.has(said.conversationId))
        intervals.set(
          said.conversationId,
          new Map(said.members.map((userId) => [userId, [{ fromSeq: 1, untilSeq: null }]])),
        )
      return keepMessage(message)
    },
    /** On the revision that the editor saw. */
    async edit(message: StoredMessage, text: string, editedAt = new Date()): Promise<StoredMessage> {
      const { conversationId, seq, revision } = message
      return keepMessage((await world.store.edit({ conversationId, seq, revision, text, editedAt })).message)
    },
    async delete({ conversationId, seq }: StoredMessage, deletedAt = new Date()): Promise<StoredMessage> {
      return keepMessage((await world.store.delete({ conversationId, seq, deletedAt })).message)
    },
    async advance(userId: UserId, conversationId: ConversationId, deliveredSeq: number, readSeq = 0) {
      const moved = await world.store.advance([{ conversationId, userId, deliveredSeq, readSeq }])
      for (const receipt of moved) keep({ kind: 'receipt', state: receipt })
      return moved
    },
    read: (userId: UserId, conversationId: ConversationId, seq: number) =>
      world.advance(userId, conversationId, seq, seq),
    async createUser(userId: UserId, displayName: string = userId) {
      const user = await world.store.createUser({
        userId,
        displayName,
        passwordHash: '$argon2id$',
        createdAt: new Date(1_000),
      })
      keepProfile(user)
      return user
    },
    async rename(userId: UserId, displayName: string): Promise<Profile> {
      const profile = await world.store.updateProfile(userId, { displayName })
      keepProfile(profile)
      return profile
    },
    async addMember(conversationId: ConversationId, userId: UserId, fromSeq: number): Promise<void> {
      await world.store.addMember(conversationId, userId, fromSeq)
      const before = intervalsOf(conversationId, userId)
      const last = before.at(-1)
      if (last?.untilSeq === null) return
      const from = Math.max(fromSeq, (last?.untilSeq ?? 0) + 1)
      intervals.get(conversationId)!.set(userId, [...before, { fromSeq: from, untilSeq: null }])
    },
    async removeMember(conversationId: ConversationId, userId: UserId): Promise<void> {
      await world.store.removeMember(conversationId, userId)
      const last = intervalsOf(conversationId, userId).at(-1)
      if (last?.untilSeq === null) last.untilSeq = messages.get(conversationId)!.length
    },

    /** All messages of a conversation, as the store has them. */
    stored: (conversationId: ConversationId): Promise<StoredMessage[]> =>
      world.store.messages({ conversationId, from: 1, to: 1_000_000, limit: 1_000_000, newest: false }),
    acknowledged,
    /** The messages of a conversation in order, each at the latest state that was acknowledged. */
    messages: (conversationId: ConversationId): KeptMessage[] =>
      (messages.get(conversationId) ?? []).filter((message) => message !== undefined),
    conversationIds: (): ConversationId[] => [...intervals.keys()],
    isMember: (userId: UserId, conversationId: ConversationId): boolean =>
      intervalsOf(conversationId, userId).at(-1)?.untilSeq === null,
    mayRead: (userId: UserId, { conversationId, seq }: StoredMessage): boolean =>
      intervalsOf(conversationId, userId).some(
        ({ fromSeq, untilSeq }) => fromSeq <= seq && seq <= (untilSeq ?? Number.POSITIVE_INFINITY),
      ),
    /** Counted one by one: others' messages above `readSeq` that this user may read and that are not deleted. */
    unread: (userId: UserId, conversationId: ConversationId, readSeq: number): number =>
      world
        .messages(conversationId)
        .filter(({ state: { sender, seq, deletedAt } }) => sender !== userId && seq > readSeq && deletedAt === null)
        .filter(({ state }) => world.mayRead(userId, state)).length,

    /** The present of the store, once that is at or above everything that was acknowledged: it moves by the clock. */
    async present(): Promise<Version> {
      const latest = Math.max(0, ...[...acknowledged.values()].map(({ state }) => state.version))
      for (;;) {
        const version = await world.store.version()
        if (version >= latest) return version
        await nextTurn()
      }
    },

    /** What concerns this user (null: anybody) and changed with `after < version <= upTo`, by version. */
    changes(reader: UserId | null, after: Version, upTo: Version = Number.MAX_SAFE_INTEGER): Change[] {
      const sharesConversation = (a: UserId, b: UserId) =>
        a === b || world.conversationIds().some((id) => world.isMember(a, id) && world.isMember(b, id))
      const changes: Change[] = []
      for (const one of acknowledged.values()) {
        const { version } = one.state
        if (one.kind === 'user') {
          if (reader === null || sharesConversation(reader, one.state.userId))
            changes.push({ kind: 'user', version, conversationId: null, user: one.state })
        } else if (one.kind === 'receipt') {
          const { conversationId } = one.state
          if (reader === null || world.isMember(reader, conversationId))
            changes.push({ kind: 'receipt', version, conversationId, receipt: one.state })
        } else if (reader === null || world.mayRead(reader, one.state)) {
          const { sentVersion, state: message } = one
          const { conversationId } = message
          if (sentVersion > after) changes.push({ kind: 'message', version: sentVersion, conversationId, message })
          else changes.push({ kind: 'messageChanged', version, conversationId, message })
        }
      }
      return changes.filter(({ version }) => after < version && version <= upTo).sort((a, b) => a.version - b.version)
    },
  }
  return world
}

/** A new store and world for each test of the `describe` that this is called in. */
export const useStoreWorld = (open: () => Promise<OpenedStore>): StoreWorld => {
  let opened: OpenedStore
  const world = storeWorld(() => opened.store)
  beforeEach(async () => {
    opened = await open()
    world.forget()
  })
  afterEach(() => opened.close())
  return world
}
