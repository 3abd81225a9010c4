/** Undoes what was done, in reverse order, also when a later step failed. Node 20 lacks AsyncDisposableStack. */
export const createDisposables = (): AsyncDisposable & { defer(undo: () => unknown): void } => {
  const undos: (() => unknown)[] = []
  return {
    defer: (undo) => void undos.push(undo),
    async [Symbol.asyncDispose]() {
      const failures: unknown[] = []
      for (let undo = undos.pop(); undo; undo = undos.pop()) {
        try {
          await undo()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0)
        throw new AggregateError(failures, `Could not close everything: ${failures.map(wordsOf).join('; ')}`)
    },
  }
}

const wordsOf = (failure: unknown): string => {
  if (!(failure instanceof Error)) return String(failure)
  const { message, cause } = failure
  return typeof cause === 'string' ? `${message} (${cause})` : message
}
