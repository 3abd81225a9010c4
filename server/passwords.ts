import { hash, verify } from '@node-rs/argon2'
import { dictionary } from '@zxcvbn-ts/language-common'
import { ChatError } from './contract/index.ts'
import type { Passwords } from './domain/ports.ts'

/** Argon2id is this library's default; OWASP's first choice for argon2id: 19 MiB, two passes, one lane; about 20 ms on the machines that this was written on. */
const cost = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 }
/** One of the thread pool's four is left for everything else; each takes its memory, too. */
const atOnce = 3

const common = new Set(dictionary['passwords-common'])

/** @param waitingMax the last of so many waits for about two seconds */
export const createPasswords = ({ waitingMax = 200 } = {}): Passwords => {
  const waiting: (() => void)[] = []
  let running = 0

  const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (waiting.length >= waitingMax) throw tooMany
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  return {
    hash: (password) => inTurn(() => hash(prepared(password), cost)),
    async verify(hashed, password) {
      const known = prepared(password)
      if (await inTurn(() => verify(hashed, known))) return true
      // It may have been hashed as it was typed, before passwords were prepared.
      return known !== password && inTurn(() => verify(hashed, password))
    },
    isCommon: (password) => common.has(prepared(password).toLowerCase()),
  }
}

/** Keyboards write one character in several ways; this is the one that counts. NIST (SP 800-63B) advises NFKC. */
const prepared = (password: string): string => password.normalize('NFKC')

const tooMany = new ChatError('rateLimited', {
  message: 'Too many people sign in at the moment; wait and try again.',
  retryAfterMs: 2_000,
})
