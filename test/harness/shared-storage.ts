import { type Draft, memoryStorage, type OpenOutboxStorage, type StorageNews } from '../../client-sdk/src/node.ts'

/** A storage in memory with many holders, as tabs share the one of a browser: one leads, each hears of the others. */
export const sharedStorage = () => {
  const listeners = new Set<(news: StorageNews) => void>()
  const opened = memoryStorage({ url: '', userId: '' })
  let turn = Promise.resolve()
  let leading = 0

  const storage: OpenOutboxStorage = async () => {
    const inner = await opened
    let own = (_: StorageNews) => {}
    const tell = (news: StorageNews) => {
      const copy = structuredClone(news)
      for (const listener of listeners) if (listener !== own) queueMicrotask(() => listener(copy))
    }
    return {
      read: inner.read,
      async put(draft: Draft) {
        await inner.put(draft)
        tell({ type: 'put', draft })
      },
      async remove(clientMessageId, message) {
        await inner.remove(clientMessageId, message)
        tell({ type: 'removed', clientMessageId, message })
      },
      listen(onNews) {
        own = onNews
        listeners.add(own)
      },
      async lead(signal) {
        const before = turn
        turn = before.then(
          () =>
            new Promise<void>((resolve) => {
              if (signal.aborted) return resolve()
              leading++
              signal.addEventListener('abort', () => {
                leading--
                resolve()
              })
            }),
        )
        await before
      },
      async close() {
        listeners.delete(own)
      },
    }
  }
  return { storage, leaders: () => leading }
}
