/** Who waits is served user by user, so that one who waits a hundred times is served no sooner than who waits once. */
export const createFairQueue = () => {
  /** In the order in which the users are served next. */
  const waiting = new Map<string, (() => void)[]>()
  return {
    /** Resolves when it is served. */
    wait: (user: string): Promise<void> =>
      new Promise((resolve) => {
        const queue = waiting.get(user)
        if (queue) queue.push(resolve)
        else waiting.set(user, [resolve])
      }),
    /** Serves one. @returns whether somebody waited */
    serve(): boolean {
      for (const [user, queue] of waiting) {
        waiting.delete(user)
        const goOn = queue.shift()
        if (queue.length > 0) waiting.set(user, queue)
        goOn?.()
        return true
      }
      return false
    },
  }
}
