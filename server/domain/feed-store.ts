import type { MessageStore } from './ports.ts'

/** What feeds read of the store. */
export type FeedStore = Pick<MessageStore, 'overlap' | 'version' | 'backlog' | 'changes' | 'undelivered' | 'receipts'>

/** Fewer than the connections to a database (50), so that those who write or look something up find one free. */
const readsMax = 32

/**
 * The store as all feeds read it together: where the bus was down, or a node was, all of them read at the same moment.
 * Waiting here costs nothing; waiting in the store would run into its time-outs.
 */
export const readInTurns = (store: FeedStore): FeedStore => {
  const turns = createTurns(readsMax)
  return {
    overlap: store.overlap,
    version: () => turns(() => store.version()),
    backlog: (...asked) => turns(() => store.backlog(...asked)),
    changes: (...asked) => turns(() => store.changes(...asked)),
    undelivered: (...asked) => turns(() => store.undelivered(...asked)),
    receipts: (...asked) => turns(() => store.receipts(...asked)),
  }
}

/** At most so many of what it is given run at once; the others wait for their turn, first come, first served. */
const createTurns = (max: number) => {
  const waiting: (() => void)[] = []
  let running = 0
  return async <Result>(run: () => Promise<Result>): Promise<Result> => {
    if (running < max) running++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
