import type { UserId } from '../contract/index.ts'
import { createFairQueue } from './fair-queue.ts'
import type { Ports, Store } from './ports.ts'

/** The reads of one user that run at once; the others of hers wait, and hold up nobody else. */
const callsOfUser = 2
const feedsOfUser = 1
/** Calls do not wait for feeds, which have fewer of the store's reads. */
const feedShare = 0.6

const once = [
  'backlog',
  'conversation',
  'conversations',
  'groups',
  'messages',
  'messagesAt',
  'profiles',
  'receipts',
  'seqAt',
  'textVersions',
] as const satisfies (keyof Store)[]

const paged = ['changes', 'undelivered'] as const satisfies (keyof Store)[]

/** What callers and their feeds read of the store. */
export type StoreReads = Pick<Store, 'overlap' | 'version' | (typeof once)[number] | (typeof paged)[number]>

/** The ports of the rules that read for a caller: each caller gets a fair share of the store. */
export interface ReadingPorts extends Ports {
  /** @param signal of a feed: aborted when nobody wants the answers any more, and what waits then is not read */
  readsOf(userId: UserId, signal?: AbortSignal): StoreReads
}

/**
 * The store as one user reads it. At most a few reads run at once, of each user fewer still, and who waits is served in
 * turns, user by user: one who reads from the beginning of time on every socket takes no more of the store than anybody
 * else. Waiting here costs nothing; waiting in the store would run into its time-outs.
 */
export const createFairReads = (store: Store): ReadingPorts['readsOf'] => {
  const ofCalls = createTurns({ max: store.parallelReads, maxOfUser: callsOfUser })
  const ofFeeds = createTurns({ max: Math.ceil(feedShare * store.parallelReads), maxOfUser: feedsOfUser })
  return (userId, signal) => {
    const turns = signal ? ofFeeds : ofCalls
    const inTurn = <Answer>(read: () => Promise<Answer>): Promise<Answer> =>
      turns(userId, async () => {
        signal?.throwIfAborted()
        return read()
      })
    const asks = once.map((name) => [
      name,
      (...asked: unknown[]) => inTurn(() => (store[name] as (...asked: unknown[]) => Promise<unknown>)(...asked)),
    ])
    const pages = paged.map((name) => [
      name,
      (...asked: unknown[]) =>
        pagesInTurn(inTurn, (store[name] as (...asked: unknown[]) => AsyncIterable<unknown>)(...asked)),
    ])
    return {
      overlap: store.overlap,
      version: () => store.version(),
      ...(Object.fromEntries([...asks, ...pages]) as Omit<StoreReads, 'overlap' | 'version'>),
    }
  }
}

/** Each page is read in a turn of its own. */
async function* pagesInTurn<Page>(
  inTurn: (read: () => Promise<IteratorResult<Page>>) => Promise<IteratorResult<Page>>,
  pages: AsyncIterable<Page>,
): AsyncGenerator<Page> {
  const iterator = pages[Symbol.asyncIterator]()
  try {
    for (let next = await inTurn(() => iterator.next()); !next.done; next = await inTurn(() => iterator.next())) {
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

/** At most `max` of what it is given run at once, of one user at most `maxOfUser`; the users take turns. */
const createTurns = ({ max, maxOfUser }: { max: number; maxOfUser: number }) => {
  const waiting = createFairQueue()
  const running = new Map<UserId, number>()
  let runningInAll = 0

  const begin = (userId: UserId) => {
    runningInAll++
    running.set(userId, (running.get(userId) ?? 0) + 1)
  }
  const end = (userId: UserId) => {
    runningInAll--
    const left = (running.get(userId) ?? 0) - 1
    if (left > 0) running.set(userId, left)
    else running.delete(userId)
  }
  const mayRun = (userId: UserId) => runningInAll < max && (running.get(userId) ?? 0) < maxOfUser

  return async <Result>(userId: UserId, run: () => Promise<Result>): Promise<Result> => {
    if (!waiting.has(userId) && mayRun(userId)) begin(userId)
    else await waiting.wait(userId)
    try {
      return await run()
    } finally {
      end(userId)
      const next = waiting.serve(mayRun)
      if (next !== null) begin(next)
    }
  }
}
