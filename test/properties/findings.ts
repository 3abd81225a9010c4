/** The property does not hold. */
export class Finding extends Error {
  override readonly name = 'Finding'
}

/** Nothing that is asked for here may take longer, in the clients' time. */
const deadlineMs = 300_000

/** What is found while a schedule is played, and waits that look again whenever something has changed. */
export const createFindings = () => {
  const waits = new Set<{ isMet(): boolean; resolve(): void; reject(cause: unknown): void }>()
  let first: unknown = null

  const fail = (cause: unknown) => {
    first ??= cause
    for (const { reject } of waits) reject(first)
    waits.clear()
  }
  return {
    /** @param words what is wrong */
    found: (words: string) => fail(new Finding(words)),
    /** Anything else that must not happen. */
    fail,
    throwIfAny() {
      if (first !== null) throw first
    },
    changed() {
      for (const wait of waits) {
        if (!wait.isMet()) continue
        waits.delete(wait)
        wait.resolve()
      }
    },
    /** @param words what is missing if it does not come */
    until: (isMet: () => boolean, words: () => string) =>
      new Promise<void>((resolve, reject) => {
        if (first !== null) return reject(first)
        if (isMet()) return resolve()
        const timer = setTimeout(() => fail(new Finding(words())), deadlineMs)
        const done =
          <Value>(settle: (value: Value) => void) =>
          (value: Value) => {
            clearTimeout(timer)
            settle(value)
          }
        waits.add({ isMet, resolve: done<void>(resolve), reject: done(reject) })
      }),
  }
}
export type Findings = ReturnType<typeof createFindings>
