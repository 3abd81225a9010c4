import type { UserId, Version } from '../../contract/index.ts'
import type { Bus, Clock, Log, MessageStore } from '../ports.ts'

/** A live reader of the changes that concern one user. */
export interface LiveFeed {
  userId: UserId
  /** Everything up to this version has come to this reader. */
  position(): Version
  /** Makes it read the store again. */
  gap(): void
}

/** A feed that is compared with the store from time to time. */
export interface WatchedFeed extends Disposable {
  /**
   * The position of this reader one or two minutes ago: from there on it reads again after an `oldGap`.
   */
  earlier(): Version
}

export interface LagChecks extends Disposable {
  watch(feed: LiveFeed): WatchedFeed
}

export const checkMs = 30_000
/** While the bus is known to miss what other nodes say, this is how they are heard. */
export const apartCheckMs = 5_000
const usersPerRead = 500
const rememberMs = 60_000

/**
 * A lost last event leaves no hole that a reader could see. So the positions of all are compared with the store's, many
 * with one read, and whoever is behind reads again.
 */
export const createLagChecks = ({
  store,
  bus,
  clock,
  log,
}: {
  store: MessageStore
  bus: Bus
  clock: Clock
  log: Log
}): LagChecks => {
  /** With where each was a while ago, and a while before that. */
  const feeds = new Map<LiveFeed, { earlier: Version; recent: Version }>()
  /** What came up to here has come to all of them. */
  let comparedUpTo = Number.POSITIVE_INFINITY

  const check = async () => {
    const from = comparedUpTo
    comparedUpTo = await store.version()
    try {
      await compare(from)
    } catch (error) {
      comparedUpTo = Math.min(comparedUpTo, from)
      throw error
    }
  }
  const compare = async (from: Version) => {
    const userIds = [...new Set(Array.from(feeds.keys(), ({ userId }) => userId))]
    // Where nothing is heard of others, a position says what was read, and below it things may still turn up.
    const overlap = bus.whole() ? 0 : store.overlap
    for (let at = 0; at < userIds.length; at += usersPerRead) {
      const latest = await store.latestVersions(userIds.slice(at, at + usersPerRead), from - store.overlap)
      for (const feed of feeds.keys()) {
        if ((latest.get(feed.userId) ?? 0) > feed.position() - overlap) feed.gap()
      }
    }
  }
  let rememberedAt = clock.now()
  const remember = () => {
    const now = clock.now()
    if (now < rememberedAt + rememberMs && now >= rememberedAt) return
    rememberedAt = now
    for (const [feed, places] of feeds) {
      places.earlier = places.recent
      places.recent = feed.position()
    }
  }
  const lookMs = bus.shared ? apartCheckMs : checkMs
  let checkedAt = clock.now()
  const schedule = () =>
    clock.setTimeout(() => {
      remember()
      const isDue = !bus.whole() || clock.now() >= checkedAt + checkMs || clock.now() < checkedAt
      if (isDue) checkedAt = clock.now()
      Promise.resolve(isDue && check())
        .catch((error: unknown) => log.warn({ error }, 'cannot compare the feeds with the store; trying again'))
        .finally(() => {
          if (!closed) timer = schedule()
        })
    }, lookMs)
  let closed = false
  let timer = schedule()

  return {
    watch(feed) {
      const position = feed.position()
      const places = { earlier: position, recent: position }
      feeds.set(feed, places)
      comparedUpTo = Math.min(comparedUpTo, position)
      return { earlier: () => places.earlier, [Symbol.dispose]: () => void feeds.delete(feed) }
    },
    [Symbol.dispose]() {
      closed = true
      timer.cancel()
    },
  }
}
