import { ChatError, editConflictWords, type Version } from '../../contract/index.ts'
import type { Log } from '../../domain/ports.ts'
import { versionAt, versionsPerMs } from '../../domain/version-time.ts'
import type { Operation, Outcome, Reply, Results } from './operations.ts'
import type { WriterData } from './writer.ts'
import { startWriterThread, type WriterThread } from './writer-thread.ts'

/** One commit takes at most so many, so that the first of them does not wait long for the last. */
const commitMax = 1_000
/** More waiting than this is seconds of work: refusing is kinder than queueing. */
const waitingMax = 20_000
const failureEveryMs = 1_000

interface Waiting {
  operation: Operation
  resolve(result: unknown): void
  reject(error: ChatError): void
}

/**
 * Group commit: what is asked for while a commit runs goes into the next, in order. The commits run in a worker
 * thread, so that waiting for the disk stops nobody. A writer that dies takes what was in its hands with it
 * (`unavailable`) and is started again once for each time it had served; the truth is in the file.
 */
export const startCommits = async (data: WriterData, log: Log) => {
  let waiting: Waiting[] = []
  let running: Promise<void> | null = null
  let commitUnderWay: Promise<unknown> = Promise.resolve()
  let closed = false
  const counted = { commits: 0, operations: 0, failedCommits: 0 }
  const logFailure = createFailureLog(log)

  const first = await startWriterThread(data, log)
  /** Null: it is being started again, or did not start. */
  let writer: WriterThread | null = null
  /** The highest position that anybody was told. */
  let told: Version = first.version
  /** Of the last commit: nothing that is not there yet has a version at or below it. */
  let visible: Version = first.version

  const use = (thread: WriterThread) => {
    writer = thread
    void thread.ended.then((code) => {
      writer = null
      const lost = waiting
      waiting = []
      for (const { reject } of lost) reject(unavailable('the writer ended'))
      if (closed) return
      log.error({ code, lost: lost.length }, 'the writer of the database ended; starting it again')
      startWriterThread(data, log).then(
        (next) => {
          if (closed) return void next.close()
          use(next)
          log.info({}, 'the writer of the database runs again')
        },
        (error) => log.error({ error }, 'the writer of the database did not start again; nothing can be written'),
      )
    })
  }
  use(first)

  const runAll = async () => {
    while (waiting.length > 0 && writer) {
      // At the end of this turn of the event loop, so that what came in by many sockets shares a commit.
      await new Promise((resolve) => setImmediate(resolve))
      const group = waiting.splice(0, commitMax)
      if (group.length === 0) continue
      const commit = writer?.commit(
        group.map(({ operation }) => operation),
        told,
      )
      commitUnderWay = commit ?? Promise.resolve()
      settle(group, (await commit) ?? null)
    }
    // In the same turn as the last look at what waits: whoever writes next starts it again.
    running = null
  }

  const settle = (group: Waiting[], outcome: Outcome | null) => {
    counted.commits++
    counted.operations += group.length
    if (outcome === null) for (const { reject } of group) reject(unavailable('the writer ended'))
    else if ('committed' in outcome) {
      visible = outcome.version
      for (const [i, asked] of group.entries()) answer(asked, outcome.committed[i]!)
    } else {
      counted.failedCommits++
      logFailure(outcome.failed, counted.failedCommits)
      for (const { reject } of group) reject(unavailable(outcome.failed))
    }
  }

  return {
    /**
     * Resolves when it is on disk, with what `as` makes of the result: the promises of a commit resolve in the order of its
     * versions, which a caller's own steps behind them would lose.
     * @throws ChatError what it was refused for, or `unavailable`: nothing is known of it
     */
    write<O extends Operation, Result>(operation: O, as: (result: Results[O[0]]) => Result): Promise<Result> {
      return new Promise<Result>((resolve, reject) => {
        if (closed) return reject(unavailable('the store is closed'))
        if (!writer) return reject(unavailable('the writer is not running'))
        if (waiting.length >= waitingMax) return reject(unavailable('too much is waiting to be written'))
        waiting.push({ operation, resolve: (result) => resolve(as(result as Results[O[0]])), reject })
        running ??= runAll()
      })
    },

    /**
     * The present, by the clock alone, as long as that was not set back behind what is stored. What a commit under way
     * writes may be older, so its end is waited for; whatever is written later is newer than anything that was told here.
     */
    async present(): Promise<Version> {
      const now = versionAt(Date.now()) - 1
      // Before the wait: what is committed during it is newer than this moment, and says nothing of the clock.
      const wasSetBack = visible > now + 2 * versionsPerMs
      await commitUnderWay
      told = Math.max(told, wasSetBack ? visible : now)
      return told
    },

    /** The version of the last commit, which every read sees. */
    visible: (): Version => visible,

    settings: () => first.settings,
    counted: () => ({ ...counted }),

    /** Takes nothing more. Resolves when all that waits is written. */
    async finish(): Promise<void> {
      closed = true
      await running
    },

    /** Writes what waits, then ends the writer. */
    async close(): Promise<void> {
      closed = true
      await running
      await writer?.close()
    },
  }
}

export type Commits = Awaited<ReturnType<typeof startCommits>>

const answer = ({ operation: [type], resolve, reject }: Waiting, reply: Reply): void => {
  if (typeof reply !== 'string') {
    resolve(reply)
    return
  }
  const isEditConflict = type === 'edit' && reply === 'conflict'
  reject(new ChatError(reply, isEditConflict ? { message: editConflictWords } : {}))
}

const unavailable = (reason: string) => new ChatError('unavailable', { cause: reason })

/** On a full disk each commit fails; a line a second tells as much. */
const createFailureLog = (log: Log) => {
  let toldAt = Number.NEGATIVE_INFINITY
  return (reason: string, failedCommits: number) => {
    if (performance.now() - toldAt < failureEveryMs) return
    toldAt = performance.now()
    log.error({ reason, failedCommits }, 'a commit failed; nothing of it was kept')
  }
}
