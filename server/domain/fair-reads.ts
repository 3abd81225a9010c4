import type { UserId } from '../contract/index.ts'
import { createTurns } from '../fairness/turns.ts'
import { createUsage } from '../fairness/usage.ts'
import { bytesAsJson } from './page-text.ts'
import type { Change, Ports, Store } from './ports.ts'

/** What runs at once of what callers read, and of what their feeds do, as a part of what the store reads at once. */
const callShare = 0.6
const feedShare = 0.4
/** As many as one call asks for in one go. */
const callsOfUser = 4
const feedsOfUser = 1

/**
 * What a read takes of a thread of the embedded store, in milliseconds: one that finds a few rows 0.05 to 0.2, one that
 * looks through a user's conversations 0.3 to 1, their list 2 to 4, a page with 64 KiB of texts 3 to 5 (on two busy cores), and
 * those take the event loop as much again. A database is taken to be as fast.
 */
const shortMs = 0.1
const searchMs = 0.7
const listMs = 2
const textBytesPerMs = 10_000

/** What callers and their feeds read of the store. */
export type StoreReads = Pick<
  Store,
  | 'overlap'
  | 'version'
  | 'backlog'
  | 'changes'
  | 'conversation'
  | 'conversations'
  | 'groups'
  | 'messages'
  | 'messagesAt'
  | 'profiles'
  | 'receipts'
  | 'seqAt'
  | 'textVersions'
  | 'undelivered'
>

/** The ports of the rules that read for a caller: each caller gets a fair share of the store. */
export interface ReadingPorts extends Ports {
  /** @param signal of a feed: aborted when nobody wants the answers any more, and what waits then is not read */
  readsOf(userId: UserId, signal?: AbortSignal): StoreReads
}

/**
 * The store as one user reads it: at most a few reads run at once, of each user fewer still, and whoever read least of
 * late is next. One who reads from the beginning of time on every socket takes nothing from those who read little. Calls
 * do not wait for feeds. Waiting here costs nothing; waiting in the store would run into its time-outs.
 */
export const createFairReads = (store: Store): ReadingPorts['readsOf'] => {
  const usage = createUsage()
  const turnsFor = (share: number, maxOfUser: number) =>
    createTurns({ max: Math.ceil(share * store.parallelReads), maxOfUser }, usage)
  const ofCalls = turnsFor(callShare, callsOfUser)
  const ofFeeds = turnsFor(feedShare, feedsOfUser)

  return (userId, signal) => {
    const turns = signal ? ofFeeds : ofCalls
    const read = <Answer>(ms: number, ask: () => Promise<Answer>, textsOf = (_: Answer): string[] => []) =>
      turns(
        userId,
        async () => {
          signal?.throwIfAborted()
          return ask()
        },
        (answer) => ms + textMs(textsOf(answer)),
      )
    const readPages = (pages: AsyncIterable<Change[]>) =>
      pagesInTurn(pages, (next) => read(searchMs, next, ({ done, value }) => (done ? [] : textsOfChanges(value))))

    return {
      overlap: store.overlap,
      version: () => store.version(),
      backlog: (...asked) => read(searchMs, () => store.backlog(...asked)),
      changes: (...asked) => readPages(store.changes(...asked)),
      conversation: (...asked) => read(shortMs, () => store.conversation(...asked)),
      conversations: (...asked) =>
        read(
          listMs,
          () => store.conversations(...asked),
          (page) => page.map(({ lastMessage }) => lastMessage.text),
        ),
      groups: (...asked) => read(shortMs, () => store.groups(...asked)),
      messages: (...asked) => read(shortMs, () => store.messages(...asked), textsOf),
      messagesAt: (...asked) => read(shortMs, () => store.messagesAt(...asked), textsOf),
      profiles: (...asked) => read(shortMs, () => store.profiles(...asked)),
      receipts: (...asked) => read(shortMs, () => store.receipts(...asked)),
      seqAt: (...asked) => read(shortMs, () => store.seqAt(...asked)),
      textVersions: (...asked) => read(shortMs, () => store.textVersions(...asked), textsOf),
      undelivered: (...asked) => readPages(store.undelivered(...asked)),
    }
  }
}

const textMs = (texts: string[]): number => texts.reduce((sum, text) => sum + bytesAsJson(text), 0) / textBytesPerMs
const textsOf = (messages: { text: string }[]): string[] => messages.map(({ text }) => text)
const textsOfChanges = (page: Change[]): string[] =>
  page.map((change) => ('message' in change ? change.message.text : ''))

/** Each page is read in a turn of its own. */
async function* pagesInTurn<Page>(
  pages: AsyncIterable<Page>,
  inTurn: (read: () => Promise<IteratorResult<Page>>) => Promise<IteratorResult<Page>>,
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
