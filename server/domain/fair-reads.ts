import type { UserId } from '../contract/index.ts'
import type { Ports, Store } from './ports.ts'

/** Fewer than the connections to a database (50), so that those who write or look something up find one free. */
const readsMax = 32
/** The reads of one user that run at once; the others of hers wait, and hold up nobody else. */
const readsOfUserMax = 2

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
  /** @param signal aborted when nobody wants the answers any more: what waits then is not read */
  readsOf(userId: UserId, signal?: AbortSignal): StoreReads
}

/**
 * The store as one user reads it. At most a few reads run at once, of each user fewer still, and who waits is served in
 * turns, user by user: one who reads from the beginning of time on every socket takes no more of the store than anybody
 * else. Waiting here costs nothing; waiting in the store would run into its time-outs.
 */
export const createFairReads = (store: Store): ReadingPorts['readsOf'] => {
  const turns = createTurns(readsMax, readsOfUserMax)
  return (userId, signal) => {
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

/** At most `max` of what it is given run at once, of one key at most `maxOfKey`; the keys take turns. */
export const createTurns = (max: number, maxOfKey: number) => {
  /** In the order in which the keys are served next. */
  const waiting = new Map<string, (() => void)[]>()
  const running = new Map<string, number>()
  let runningInAll = 0

  const begin = (key: string) => {
    runningInAll++
    running.set(key, (running.get(key) ?? 0) + 1)
  }
  const end = (key: string) => {
    runningInAll--
    const left = (running.get(key) ?? 0) - 1
    if (left > 0) running.set(key, left)
    else running.delete(key)
  }
  const mayRun = (key: string) => runningInAll < max && (running.get(key) ?? 0) < maxOfKey
  const serveNext = () => {
    for (const [key, queue] of waiting) {
      if (!mayRun(key)) continue
      waiting.delete(key)
      const next = queue.shift()
      if (queue.length > 0) waiting.set(key, queue)
      begin(key)
      next?.()
      return
    }
  }

  return async <Result>(key: string, run: () => Promise<Result>): Promise<Result> => {
    if (!waiting.has(key) && mayRun(key)) begin(key)
    else {
      await new Promise<void>((resolve) => {
        const queue = waiting.get(key) ?? []
        queue.push(resolve)
        waiting.set(key, queue)
      })
    }
    try {
      return await run()
    } finally {
      end(key)
      serveNext()
    }
  }
}
