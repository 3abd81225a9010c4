import {
  ChatError,
  type ChatEvent,
  type ConversationId,
  type MissedConversation,
  type OnMessage,
  type Username,
  type Version,
} from '../contract/index.ts'
import type { FeedStore } from './feed-store.ts'
import { asSeenBy } from './message-view.ts'
import type { Bus, Change, Gap } from './ports.ts'
import type { DeliveryMarks } from './receipts.ts'
import { createSeen } from './seen.ts'
import type { StaleFeeds } from './stale-feeds.ts'
import { type Changed, type Concerning, listenForWakeUps, versionOf } from './wake-ups.ts'

/** More messages than this missed in one conversation are not replayed: the client reads them from its history. */
export const replayMax = 1_000
const pageSize = 200

/**
 * All that concerns this user after the cursor, then whatever comes (P5). It listens first, reads the store second,
 * skips what was read and goes on live; where it sees a hole, or is told that there may be one, it reads again.
 * An event counts as handed over when the next one is asked for.
 * @param asItem joins an event and its cursor: given back as `lastEventId`, the feed goes on behind this event
 * @throws ChatError `badCursor`
 */
export async function* follow<Item>(
  { store, bus }: { store: FeedStore; bus: Bus },
  { deliveries, staleFeeds }: { deliveries: DeliveryMarks; staleFeeds: StaleFeeds },
  username: Username,
  { lastEventId, ack }: OnMessage,
  signal: AbortSignal,
  asItem: (cursor: string, event: ChatEvent) => Item,
): AsyncGenerator<Item, void, undefined> {
  using wakeUps = listenForWakeUps(bus, username, signal)
  const start = await store.version()
  const { since, undeliveredFrom } = readCursor(lastEventId) ?? { since: start, undeliveredFrom: 0 }
  const seen = createSeen(start, bus.shared)
  /** Nothing below is read again: who began with what was undelivered has had, and wants, nothing else from before. */
  const floor = undeliveredFrom === null ? since - store.overlap : since
  const missed = await store.backlog(username, floor, replayMax)
  const skipped = missed.map(({ conversationId }) => conversationId)

  /** Own messages are known to have arrived once somebody else's after them has, or where they had to be replayed. */
  const handedOver = (change: Changed, replayed: boolean) => {
    if (ack !== 'server' || change.type !== 'message') return
    const { conversationId, sender, seq } = change.message
    if (skipped.includes(conversationId) || (sender === username && !replayed)) return
    deliveries.note(username, conversationId, seq)
  }

  const cursorAbove = (version: Version) => cursorAt(Math.max(floor, version))
  const amongUndelivered = (version: Version) => undeliveredCursor(since, version)

  async function* replay(pages: AsyncIterable<Change[]>, cursorOf = cursorAbove): AsyncGenerator<Item> {
    for await (const page of pages) {
      const unseen = page.filter((change) => !seen.has(change))
      const events = await asEventsFor(username, unseen)
      for (const [i, change] of unseen.entries()) {
        yield asItem(cursorOf(versionOf(change)), events[i] as ChatEvent)
        seen.add(change, true)
        handedOver(change, true)
      }
    }
  }

  const asEventsFor = async (viewer: Username, changes: Change[]): Promise<ChatEvent[]> => {
    const ids = changes.map((change) => (change.type === 'message' ? change.message.conversationId : null))
    const receipts = await store.receipts([...new Set(ids)].filter((id) => id !== null))
    return changes.map((change) =>
      change.type === 'message'
        ? { type: 'message', message: asSeenBy(viewer, change.message, receipts) }
        : { type: 'receipt', receipt: change.receipt },
    )
  }

  const changesBetween = (after: Version, upTo: Version, except: string[]) =>
    pagesFrom(after, (from) => store.changes(username, { after: from, upTo, except }, pageSize))

  /** All that may have come since then, and some of what came a little before. */
  async function* changesSince(version: Version): AsyncGenerator<Change[]> {
    const after = version - store.overlap
    if (undeliveredFrom !== null && after < since) yield* undelivered(Math.max(0, after))
    yield* changesBetween(Math.max(floor, after), Number.MAX_SAFE_INTEGER, [])
  }

  const undelivered = (from: Version) =>
    pagesFrom(from, async (after) => {
      const messages = await store.undelivered(username, { after, upTo: since }, pageSize)
      return messages.map((message): Change => ({ type: 'message', version: message.version, message }))
    })

  /** Who has had nothing yet begins with what was undelivered, if that is earlier. */
  const fromUndelivered = async (conversations: MissedConversation[]): Promise<MissedConversation[]> => {
    const receipts = await store.receipts(skipped)
    const delivered = (id: ConversationId) =>
      receipts.find((receipt) => receipt.conversationId === id && receipt.username === username)?.deliveredSeq ?? 0
    return conversations.map(({ conversationId, afterSeq }) => ({
      conversationId,
      afterSeq: Math.min(afterSeq, delivered(conversationId)),
    }))
  }

  yield asItem(undeliveredFrom === null ? cursorAt(since) : amongUndelivered(undeliveredFrom), {
    type: 'ready',
    ...(store.overlap > 0 && { overlap: store.overlap }),
    ...(skipped.length === 0
      ? { replay: 'complete' }
      : { replay: 'reset', conversations: undeliveredFrom === null ? missed : await fromUndelivered(missed) }),
  })
  if (undeliveredFrom !== null) {
    yield* replay(undelivered(Math.max(0, undeliveredFrom - store.overlap)), amongUndelivered)
  }
  yield* replay(changesBetween(floor, start, skipped))

  const position = () => Math.max(seen.position(), wakeUps.isWhole() ? wakeUps.newest() : 0)
  using watched = staleFeeds.watch({ username, position, gap: wakeUps.gap })
  const placeBefore = (gap: Gap) => (gap === 'oldGap' ? watched.earlier() : seen.position())
  // The first look at the store after `start`: what came since then may have come before we listened.
  yield* replay(changesSince(start))
  yield asItem(cursorAt(seen.position()), { type: 'caughtUp' })
  while (!signal.aborted) {
    const wakeUp = wakeUps.take()
    if (wakeUp === null) {
      await wakeUps.arrival()
      continue
    }
    // What was sent again was told again.
    if (!isGap(wakeUp) && versionOf(wakeUp) <= seen.position() - store.overlap) continue
    const readFrom = isGap(wakeUp) ? placeBefore(wakeUp) : seen.holeBefore(wakeUp)
    if (readFrom !== null) {
      const upTo = await store.version()
      yield* replay(changesSince(readFrom))
      seen.reach(upTo)
    } else if (!isGap(wakeUp) && !seen.has(wakeUp)) {
      const isWhole = wakeUps.isWhole()
      const reached = isWhole ? versionOf(wakeUp) : Math.min(versionOf(wakeUp), seen.position())
      // What the bus brings is one object for all who follow, so that it is written out once.
      yield asItem(cursorAt(reached), wakeUp)
      seen.add(wakeUp, isWhole)
      handedOver(wakeUp, false)
    }
  }
}

async function* pagesFrom(after: Version, read: (after: Version) => Promise<Change[]>): AsyncGenerator<Change[]> {
  for (let from = after; ; ) {
    const page = await read(from)
    if (page.length > 0) yield page
    if (page.length < pageSize) return
    from = page.at(-1)?.version ?? from
  }
}

const isGap = (wakeUp: Concerning | Gap): wakeUp is Gap => typeof wakeUp === 'string'

const cursorAt = (version: Version): string => `v${version}`

const undeliveredCursor = (since: Version, from: Version): string => (from === 0 ? `u${since}` : `u${since}.${from}`)

/**
 * `v<version>`: all up to there has come. `u<since>`: nothing has come yet, and what was undelivered at `since` is still
 * wanted; it has to name the version, since meanwhile another device may take what this one has not seen.
 * `u<since>.<version>`: of what was undelivered, all up to that version has come.
 */
const readCursor = (cursor: string | undefined): { since: Version; undeliveredFrom: Version | null } | null => {
  if (cursor === undefined) return null
  const [, version, since, from = '0'] = /^(?:v(\d{1,16})|u(\d{1,16})(?:\.(\d{1,16}))?)$/.exec(cursor) ?? []
  const place = { since: Number(version ?? since), undeliveredFrom: since === undefined ? null : Number(from) }
  if (!Number.isSafeInteger(place.since) || !Number.isSafeInteger(place.undeliveredFrom ?? 0))
    throw new ChatError('badCursor')
  return place
}
