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
  const tell = (news: StorageNews) => channel.postMessage(news)

  const writing = new Set<Promise<void>>()
  /** Writes, then tells the others. */
  const write = (change: (drafts: IDBObjectStore) => void, news: StorageNews) => {
    const written = commit(change).then(() => tell(news))
    writing.add(written)
    return written.finally(() => writing.delete(written))
  }
  /** A page that deletes the database, or a browser that clears it, closes it for all. */
  const begin = async (mode: IDBTransactionMode): Promise<IDBTransaction> => {
    // Strict: some browsers would otherwise call it done before the disk has it.
    const transactionOf = (db: IDBDatabase) => db.transaction(store, mode, { durability: 'strict' })
    const before = opened
    const db = await before.catch(() => null)
    try {
      if (db) return transactionOf(db)
    } catch (error) {
      if ((error as Error).name !== 'InvalidStateError' || isClosed) throw error
    }
    if (opened === before) opened = open(name)
    return transactionOf(await opened)
  }
  const commit = async (change: (drafts: IDBObjectStore) => void) => {
    const transaction = await begin('readwrite')
    change(transaction.objectStore(store))
    await finished(transaction)
  }
  const keyOf = (drafts: IDBObjectStore, clientMessageId: string, use: (key: IDBValidKey | undefined) => void) => {
    const request = drafts.index(byName).getKey(clientMessageId)
    request.onsuccess = () => use(request.result)
  }

  return {
    async read() {
      const request = (await begin('readonly')).objectStore(store).getAll()
      return (await answered(request)) as Draft[]
    },
    put: (draft) =>
      write((drafts) => keyOf(drafts, draft.clientMessageId, (key) => drafts.put(draft, key)), { type: 'put', draft }),
    remove: (clientMessageId, message) =>
      write(
        (drafts) =>
          keyOf(drafts, clientMessageId, (key) => {
            if (key !== undefined) drafts.delete(key)
          }),
        { type: 'removed', clientMessageId, message },
      ),
    listen(onNews) {
      channel.onmessage = ({ data }: MessageEvent<StorageNews>) => onNews(data)
    },
    lead: (signal) =>
      new Promise((resolve, reject) => {
        // Pages without HTTPS have no locks. There every tab sends all, in the same order and under the same names, and the
        // server takes each message once.
        const { locks } = globalThis.navigator ?? {}
        if (!locks) return resolve()
        const whileLeading = () =>
          new Promise<void>((release) => {
            signal.addEventListener('abort', () => release())
            resolve()
          })
        locks.request(name, { signal }, whileLeading).catch(reject)
      }),
    async close() {
      isClosed = true
      await Promise.allSettled(writing)
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
