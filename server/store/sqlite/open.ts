import { join, resolve } from 'node:path'
import { ChatError } from '../../contract/index.ts'
import type { Log, Store } from '../../domain/ports.ts'
import { accountStore } from './accounts.ts'
import { allChangesStore } from './all-changes.ts'
import { refuseUnfinished } from './archive.ts'
import { changeStore } from './changes.ts'
import { startCommits } from './commits.ts'
import type { Settings } from './connection.ts'
import { createDirectory, createPrivately } from './files.ts'
import { knownNetworkStore } from './known-networks.ts'
import { lockDirectory } from './lock.ts'
import { memberStore } from './members.ts'
import { messageStore } from './messages.ts'
import { nodeStore } from './nodes.ts'
import { openReads } from './reads.ts'
import { summaryStore } from './summaries.ts'

export interface SqliteOptions {
  /** Created with mode 0700 where there is none. */
  directory: string
  log?: Log
  /** The write-ahead log is cut when it grows past this. */
  walBytesMax?: number
}

export interface SqliteStore extends Store, AsyncDisposable {
  /** What the writer did so far, and its settings as read back at start. */
  inspect(): { commits: number; operations: number; failedCommits: number; settings: Settings }
}

/**
 * The store in one file, `parley.db`: a worker thread writes, others read.
 * @throws Error in plain words: another process uses the directory, or a newer Parley wrote the file
 */
export const openSqliteStore = async (options: SqliteOptions): Promise<SqliteStore> => {
  const { log = silent, walBytesMax = 256 * 1024 * 1024 } = options
  const directory = resolve(options.directory)
  const file = join(directory, 'parley.db')
  createDirectory(directory)
  const unlock = lockDirectory(directory)
  try {
    refuseUnfinished(directory)
    createPrivately(file)
    const commits = await startCommits({ file, walBytesMax }, log)
    try {
      const reads = openReads(file, log)
      const nodes = nodeStore(reads)
      let closed: Promise<void> | null = null
      const close = () => {
        // The readers first: the writer copies the log into the database when it ends, which nobody may be reading then.
        closed ??= commits
          .finish()
          .then(() => reads.close())
          .then(() => commits.close())
          .finally(unlock)
        return closed
      }
      return {
        ...accountStore(commits, reads),
        ...knownNetworkStore(commits, reads),
        ...messageStore(commits, reads),
        ...memberStore(commits, reads),
        ...summaryStore(reads),
        ...changeStore(commits, reads),
        ...allChangesStore(commits, reads),
        ...nodes,
        async ping() {
          await Promise.all([commits.write(['ping'], () => {}), nodes.storeId()]).catch((cause: unknown) => {
            throw new ChatError('unavailable', { message: 'The store cannot be reached.', cause })
          })
        },
        inspect: () => ({ ...commits.counted(), settings: commits.settings() }),
        close,
        [Symbol.asyncDispose]: close,
      }
    } catch (error) {
      await commits.close()
      throw error
    }
  } catch (error) {
    unlock()
    throw error
  }
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
