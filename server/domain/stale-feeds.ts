import type { Username, Version } from '../contract/index.ts'
import type { Bus, Clock, Log, MessageStore } from './ports.ts'

/** A live reader of the changes that concern one user. */
export interface LiveFeed {
  username: Username
  /** Everything up to this version has come to this reader. */
  position(): Version
  /** Makes it read the store again. */
  gap(): void
}

export interface StaleFeeds extends Disposable {
  watch(feed: LiveFeed): Disposable
}

export const checkMs = 30_000
/** While the bus is known to miss what other nodes say, this is how they are heard. */
export const apartCheckMs = 5_000
const usersPerRead = 500

/**
 * A lost last event leaves no hole that a reader could see. So the positions of all are compared with the store's, many
 * with one read, and whoever is behind reads again.
 */
export const createStaleFeeds = ({
  store,
  bus,
  clock,
  log,
}: {
  store: MessageStore
  bus: Bus
  clock: Clock
  log: Log
}): StaleFeeds => {
  const feeds = new Set<LiveFeed>()
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
    const usernames = [...new Set([...feeds].map(({ username }) => username))]
    for (let at = 0; at < usernames.length; at += usersPerRead) {
      const latest = await store.latestVersions(usernames.slice(at, at + usersPerRead), from - store.overlap)
      for (const feed of feeds) {
        if ((latest.get(feed.username) ?? 0) > feed.position()) feed.gap()
      }
    }
  }
  const lookMs = bus.shared ? apartCheckMs : checkMs
  let checkedAt = clock.now()
  const schedule = () =>
    clock.setTimeout(() => {
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
      feeds.add(feed)
      comparedUpTo = Math.min(comparedUpTo, feed.position())
      return { [Symbol.dispose]: () => void feeds.delete(feed) }
    },
    [Symbol.dispose]() {
      closed = true
      timer.cancel()
    },
  }
}
