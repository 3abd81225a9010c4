import type { UserId } from '../contract/index.ts'

/** Who waits is served user by user, so that one who waits a hundred times is served no sooner than who waits once. */
export const createFairQueue = () => {
  /** In the order in which the users are served next. */
  const waiting = new Map<UserId, (() => void)[]>()
  return {
    has: (userId: UserId) => waiting.has(userId),
    /** Resolves when it is served. */
    wait: (userId: UserId): Promise<void> =>
      new Promise((resolve) => {
        const queue = waiting.get(userId)
        if (queue) queue.push(resolve)
        else waiting.set(userId, [resolve])
      }),
    /** Serves one. @returns of which user; null: nobody waits who may be served */
    serve(mayBeServed = (_userId: UserId) => true): UserId | null {
      for (const [userId, queue] of waiting) {
        if (!mayBeServed(userId)) continue
        waiting.delete(userId)
        const goOn = queue.shift()
        if (queue.length > 0) waiting.set(userId, queue)
        goOn?.()
        return userId
      }
      return null
    },
  }
}
