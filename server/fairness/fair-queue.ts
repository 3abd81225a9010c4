/** Who waits is served user by user, so that one who waits a hundred times is served no sooner than who waits once. */
export const createFairQueue = () => {
  /** In the order in which the users are served next. */
  const waiting = new Map<string, (() => void)[]>()
  return {
    has: (user: string) => waiting.has(user),
    /** Resolves when it is served. */
    wait: (user: string): Promise<void> =>
      new Promise((resolve) => {
        const queue = waiting.get(user)
        if (queue) queue.push(resolve)
        else waiting.set(user, [resolve])
      }),
    /** Serves one. @returns of which user; null: nobody waits who may be served */
    serve(mayBeServed = (_user: string) => true): string | null {
      for (const [user, queue] of waiting) {
        if (!mayBeServed(user)) continue
        waiting.delete(user)
        const goOn = queue.shift()
        if (queue.length > 0) waiting.set(user, queue)
        goOn?.()
        return user
      }
      return null
    },
  }
}
