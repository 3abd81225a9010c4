import { hash, verify } from '@node-rs/argon2'
import { dictionary } from '@zxcvbn-ts/language-common'
import type { Passwords } from './domain/ports.ts'

/** Argon2id is this library's default; OWASP's first choice for argon2id: 19 MiB, two passes, one lane; about 20 ms on the machines that this was written on. */
const cost = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 }
/** More at once would take the thread pool from everything else, and memory with it. */
const atOnce = 4

export const createPasswords = (): Passwords => {
  const common = new Set(dictionary['passwords-common'])
  const waiting: (() => void)[] = []
  let running = 0

  const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
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
    hash: (password) => inTurn(() => hash(password, cost)),
    verify: (hashed, password) => inTurn(() => verify(hashed, password)),
    isCommon: (password) => common.has(password.toLowerCase()),
  }
}
