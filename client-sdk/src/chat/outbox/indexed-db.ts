import { onAbort } from '../../connection/abort.ts'
import { ChatError } from '../../connection/errors.ts'
import type { Draft, OpenOutboxStorage, StorageNews } from './storage.ts'

const store = 'drafts'
const byName = 'clientMessageId'

/**
 * In the browser's IndexedDB, so that it survives a reload, shared by the tabs of an origin: one of them sends, by a lock
 * that ends with its tab, and each hears what the others do.
 */
export const indexedDbStorage: OpenOutboxStorage = async ({ url, userId }) => {
  const name = `parley outbox of ${userId} at ${url}`
  let opened = open(name)
  await opened
  const channel = new BroadcastChannel(name)
  let isClosed = false
  let writing: Promise<unknown> = Promise.resolve()

  /** A page that deletes the database, or a browser that clears it, closes it for all. */
  const begin = async (mode: IDBTransactionMode): Promise<IDBTransaction> => {
    // Strict: some browsers would otherwise call it done before the disk has it.
    const transactionOf = (db: IDBDatabase) => db.transaction(store, mode, { durability: 'strict' })
    const before = opened
    try {
      return transactionOf(await before)
    } catch (error) {
      if (isClosed) throw error
      if (opened === before) opened = open(name)
      return transactionOf(await opened)
    }
  }
  /** Writes, then tells the others. @param change is given the key of the draft with this name, if there is one */
  const write = (
    clientMessageId: string,
    change: (drafts: IDBObjectStore, key: IDBValidKey | undefined) => void,
    news: StorageNews,
  ): Promise<void> => {
    const commit = async () => {
      const transaction = await begin('readwrite')
      const drafts = transaction.objectStore(store)
      const request = drafts.index(byName).getKey(clientMessageId)
      request.onsuccess = () => change(drafts, request.result)
      await finished(transaction)
      channel.postMessage(news)
    }
    const written = commit()
    writing = Promise.allSettled([writing, written])
    return written
  }

  return {
    async read() {
      const request = (await begin('readonly')).objectStore(store).getAll()
      return (await answered(request)) as Draft[]
    },
    put: (draft) => write(draft.clientMessageId, (drafts, key) => drafts.put(draft, key), { type: 'put', draft }),
    remove(clientMessageId, message) {
      const change = (drafts: IDBObjectStore, key: IDBValidKey | undefined) => {
        if (key !== undefined) drafts.delete(key)
      }
      return write(clientMessageId, change, { type: 'removed', clientMessageId, message })
    },
    listen(onNews) {
      channel.onmessage = ({ data }: MessageEvent<StorageNews>) => onNews(data)
    },
    lead: (signal) =>
      new Promise((resolve) => {
        // Pages without HTTPS have no locks, and others may be refused them. There every tab sends all, in the same order and
        // under the same names, and the server takes each message once.
        const { locks } = globalThis.navigator ?? {}
        if (!locks) return resolve()
        const whileLeading = () =>
          new Promise<void>((release) => {
            // Also one that has aborted: Chromium grants the lock then to the first who asks in a page.
            onAbort(signal, release)
            resolve()
          })
        locks.request(name, { signal }, whileLeading).catch(() => resolve())
      }),
    async close() {
      isClosed = true
      await writing
      channel.close()
      const db = await opened.catch(() => null)
      db?.close()
    },
  }
}

/** Keys count up, so that drafts stand in the order of their coming, whichever tab they come from. */
const open = async (name: string): Promise<IDBDatabase> => {
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(store, { autoIncrement: true }).createIndex(byName, byName, { unique: true })
  }
  const db = await answered(request)
  // A page that is to delete or to change the database must not wait for this one.
  db.onversionchange = () => db.close()
  return db
}

const answered = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const finished = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new ChatError('notStored'))
  })
