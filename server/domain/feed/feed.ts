import type {
  ChatEvent,
  ConversationId,
  MissedConversation,
  OnMessage,
  ReadyEvent,
  UserId,
  Version,
} from '../../contract/index.ts'
import type { LoopShare } from '../../fairness/fair-loop.ts'
import type { ReadingPorts, StoreReads } from '../fair-reads.ts'
import type { Change, Gap } from '../ports.ts'
import type { DeliveryMarks } from '../receipts.ts'
import { type Cursor, cursorAt, readCursor, undeliveredCursor } from './cursor.ts'
import { eventsFor, type SharedEvents } from './events.ts'
import { createGiven, type Given } from './given.ts'
import type { LagChecks, WatchedFeed } from './lag-check.ts'
import { type Arrival, type LiveQueue, listenTo, openLiveQueue } from './live-queue.ts'

/** More messages than this missed in one conversation are not replayed: the client reads them from its history. */
export const replayMax = 1_000
const pageSize = 100

export interface FeedPorts extends Pick<ReadingPorts, 'bus' | 'readsOf'> {
  deliveries: DeliveryMarks
  lagChecks: LagChecks
  eventOf: SharedEvents
  loopShare: LoopShare
}

/** One subscription, from its start to its end. */
interface Feed {
  userId: UserId
  reads: StoreReads
  loopShare: LoopShare
  cursor: Cursor
  /** The present when it began. */
  start: Version
  /** Nothing below is read again: who began with what was undelivered has had, and wants, nothing else from before. */
  floor: Version
  /** More was missed in these than is replayed. */
  missed: MissedConversation[]
  given: Given
  /** Told of each message that the client has. */
  handedOver(change: Change, isReplayed: boolean): void
}

/** An event and the version up to which everything has come with it. */
interface Step {
  event: ChatEvent
  cursor: string
}

/**
 * All that concerns this user after the cursor, then whatever comes (P5). It listens first, reads the store second,
 * skips what was read and goes on live; where it sees a hole, or is told that there may be one, it reads again.
 * An event counts as handed over when the next one is asked for.
 * @param asItem joins an event and its cursor: given back as `lastEventId`, the feed goes on behind this event
 * @throws ChatError `badCursor`
 */
export async function* follow<Item>(
  ports: FeedPorts,
  userId: UserId,
  input: OnMessage,
  signal: AbortSignal,
  asItem: (cursor: string, event: ChatEvent) => Item,
): AsyncGenerator<Item, void, undefined> {
  const { bus, eventOf, lagChecks } = ports
  using queue = openLiveQueue(bus, listenTo(bus, [userId]), eventOf, signal)
  try {
    const feed = await openFeed(ports, queue, userId, input, signal)
    const { given, reads } = feed
    for await (const { cursor, event } of backlog(feed)) yield asItem(cursor, event)

    const position = () => Math.max(given.position(), queue.isWhole() ? queue.newest() : 0)
    using watched = lagChecks.watch({ userId, position, gap: queue.gap })
    // The first look at the store after `start`: what came since then may have come before we listened.
    for await (const { cursor, event } of replay(feed, changesSince(feed, feed.start))) yield asItem(cursor, event)
    yield asItem(cursorAt(given.position()), { type: 'caughtUp' })
    // Live events are given out here, and not by a generator of their own: each costs as much as a lookup a message.
    while (!signal.aborted) {
      const arrival = queue.take()
      if (arrival === null) {
        await queue.arrival()
        continue
      }
      const from = readFrom(feed, watched, arrival)
      if (from !== null) {
        const upTo = await reads.version()
        for await (const { cursor, event } of replay(feed, changesSince(feed, from))) yield asItem(cursor, event)
        given.reach(upTo)
        continue
      }
      const { change, event } = arrival as Arrival
      const news = isLongKnown(feed, change) ? null : given.newsOf(change)
      if (news === null) continue
      const isWhole = queue.isWhole()
      const reached = isWhole ? change.version : Math.min(change.version, given.position())
      const shared = news === change ? event : null
      yield asItem(cursorAt(reached), shared ?? (await seenEvent(feed, news)))
      given.add(news, isWhole)
      feed.handedOver(news, false)
    }
  } catch (error) {
    // A read that was waiting when the client left.
    if (!signal.aborted) throw error
  }
}

/** The version to read the store from before this is given out; null: it follows what was given. */
const readFrom = (feed: Feed, watched: WatchedFeed, arrival: Arrival | Gap): Version | null => {
  if (arrival === 'oldGap') return watched.earlier()
  if (arrival === 'gap') return feed.given.position()
  return isLongKnown(feed, arrival.change) ? null : feed.given.holeBefore(arrival.change)
}

const openFeed = async (
  { bus, readsOf, deliveries, loopShare }: FeedPorts,
  queue: LiveQueue,
  userId: UserId,
  { lastEventId, ack }: OnMessage,
  signal: AbortSignal,
): Promise<Feed> => {
  const reads = readsOf(userId, signal)
  queue.listenTo(await reads.groups(userId))
  const start = await reads.version()
  const cursor = readCursor(lastEventId, start, reads.overlap)
  const floor = cursor.undeliveredFrom === null ? cursor.since - reads.overlap : cursor.since
  const missed = await reads.backlog(userId, floor, replayMax)
  const skipped = new Set(missed.map(({ conversationId }) => conversationId))

  /** Own messages are known to have arrived once somebody else's after them has, or where they had to be replayed. */
  const handedOver = (change: Change, isReplayed: boolean) => {
    if (ack !== 'server' || change.kind !== 'message' || skipped.has(change.conversationId)) return
    const { sender, seq } = change.message
    if (sender !== userId || isReplayed) deliveries.note(userId, change.conversationId, seq)
  }
  return { userId, reads, loopShare, cursor, start, floor, missed, given: createGiven(start, bus.shared), handedOver }
}

/** What was missed: the word `ready`, what was never delivered, and all changes up to the start. */
async function* backlog(feed: Feed): AsyncGenerator<Step> {
  const { cursor, reads, floor, start, missed } = feed
  const { since, undeliveredFrom } = cursor
  yield {
    event: await readyEvent(feed),
    cursor: undeliveredFrom === null ? cursorAt(since) : undeliveredCursor(since, undeliveredFrom),
  }
  if (undeliveredFrom !== null) {
    const pages = undelivered(feed, Math.max(0, undeliveredFrom - reads.overlap))
    yield* replay(feed, pages, (version) => undeliveredCursor(since, version))
  }
  const except = missed.map(({ conversationId }) => conversationId)
  yield* replay(feed, reads.changes(feed.userId, { after: floor, upTo: start, except }, pageSize))
}

const readyEvent = async (feed: Feed): Promise<ReadyEvent> => {
  const { overlap } = feed.reads
  const { missed } = feed
  return {
    type: 'ready',
    ...(overlap > 0 && { overlap }),
    ...(missed.length === 0
      ? { replay: 'complete' }
      : {
          replay: 'reset',
          conversations: feed.cursor.undeliveredFrom === null ? missed : await fromUndelivered(feed),
        }),
  }
}

/** Who has had nothing yet begins with what was undelivered, if that is earlier. */
const fromUndelivered = async ({ userId, reads, missed }: Feed): Promise<MissedConversation[]> => {
  const receipts = await reads.receipts(missed.map(({ conversationId }) => conversationId))
  const delivered = (id: ConversationId) =>
    receipts.find((receipt) => receipt.conversationId === id && receipt.userId === userId)?.deliveredSeq ?? 0
  return missed.map(({ conversationId, afterSeq }) => ({
    conversationId,
    afterSeq: Math.min(afterSeq, delivered(conversationId)),
  }))
}

const undelivered = ({ reads, userId, cursor }: Feed, after: Version) =>
  reads.undelivered(userId, { after, upTo: cursor.since }, pageSize)

/** Gives out what is new of these pages. */
async function* replay(
  feed: Feed,
  pages: AsyncIterable<Change[]>,
  cursorOf = (version: Version) => cursorAt(Math.max(feed.floor, version)),
): AsyncGenerator<Step> {
  const { given, reads, loopShare, userId, handedOver } = feed
  for await (const page of pages) {
    const news = page.flatMap((change) => maybeTwice(feed, given.newsOf(change)))
    const events = await eventsFor(reads, userId, news)
    for (const [i, change] of news.entries()) {
      const nextTurn = loopShare(userId)
      if (nextTurn) await nextTurn
      yield { event: events[i] as ChatEvent, cursor: cursorOf(change.version) }
      given.add(change, true)
      handedOver(change, true)
    }
  }
}

/**
 * Within the overlap nobody knows whether the client has had a message. One that has changed since comes twice: as a
 * message, which is a repeat to whoever has it, and as changed, which is one to whoever has not.
 */
const maybeTwice = ({ cursor }: Feed, change: Change | null): Change[] => {
  if (change === null) return []
  const isKnown = change.kind === 'message' && cursor.undeliveredFrom === null && change.version <= cursor.since
  return isKnown && change.message.version > change.version ? [change, { ...change, kind: 'messageChanged' }] : [change]
}

/** All that may have come since then, and some of what came a little before. */
async function* changesSince(feed: Feed, version: Version): AsyncGenerator<Change[]> {
  const { cursor, reads, floor, userId } = feed
  const after = version - reads.overlap
  if (cursor.undeliveredFrom !== null && after < cursor.since) yield* undelivered(feed, Math.max(0, after))
  const range = { after: Math.max(floor, after), upTo: Number.MAX_SAFE_INTEGER, except: [] }
  yield* reads.changes(userId, range, pageSize)
}

/** A repeat of a send that was answered before publishes its message again. */
const isLongKnown = ({ given, reads }: Feed, change: Change): boolean =>
  change.version <= given.position() - reads.overlap

const seenEvent = async ({ reads, userId }: Feed, change: Change): Promise<ChatEvent> => {
  const [event] = await eventsFor(reads, userId, [change])
  return event as ChatEvent
}
