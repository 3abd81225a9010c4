/** The property does not hold. */
export class Finding extends Error {
  override readonly name = 'Finding'
}

/**
 * What is found while a schedule is played, and waits that look again whenever something has changed.
 * @param deadlineMs without any change for so long, in the clients' time, what is waited for does not come
 */
export const createFindings = (deadlineMs: number) => {
  const waits = new Set<{ isMet(): boolean; again(): void; resolve(): void; reject(cause: unknown): void }>()
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
        if (wait.isMet()) {
          waits.delete(wait)
          wait.resolve()
        } else wait.again()
      }
    },
    /** @param words what is missing if it does not come */
    until: (isMet: () => boolean, words: () => string) =>
      new Promise<void>((resolve, reject) => {
        if (first !== null) return reject(first)
        if (isMet()) return resolve()
        const giveUp = () => fail(new Finding(words()))
        let timer = setTimeout(giveUp, deadlineMs)
        const again = () => {
          clearTimeout(timer)
          timer = setTimeout(giveUp, deadlineMs)
        }
        const done =
          <Value>(settle: (value: Value) => void) =>
          (value: Value) => {
            clearTimeout(timer)
            settle(value)
          }
        waits.add({ isMet, again, resolve: done<void>(resolve), reject: done(reject) })
      }),
  }
}
export type Findings = ReturnType<typeof createFindings>
