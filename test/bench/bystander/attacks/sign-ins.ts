import { setTimeout as sleep } from 'node:timers/promises'
import { createPasswords } from '../../../../server/passwords.ts'
import type { Attack, Attacker } from '../attack.ts'
import { addUsers } from '../seed.ts'
import { callOverHttp } from './calls.ts'

const password = 'correct horse battery'
const guesses = 400
const addresses = 80
const networks = 300
/** More would keep two processors busy with hashing, and be another attack. */
const guessesPerSecondMax = 20

/** Every address is named by a proxy that the server trusts. */
const signIn = async ({ url }: Attacker, from: string, username: string, guess: string): Promise<string> => {
  const { error } = await callOverHttp(url, 'login', { username, password: guess }, { 'x-forwarded-for': from })
  return error?.kind ?? 'signed in'
}

/** So many a second, until the attack ends or all were made. @returns how many had this outcome, and how many were made */
const repeat = async (
  { signal }: Attacker,
  perSecond: number,
  count: number,
  attempt: (n: number) => Promise<string>,
  wanted: string,
): Promise<string> => {
  const outcomes: Promise<string>[] = []
  const begun = performance.now()
  while (outcomes.length < count && !signal.aborted) {
    outcomes.push(attempt(outcomes.length).catch(String))
    await sleep(begun + (outcomes.length * 1_000) / perSecond - performance.now(), undefined, { signal }).catch(
      () => {},
    )
  }
  const all = await Promise.all(outcomes)
  return `${all.filter((outcome) => outcome === wanted).length} of ${all.length}`
}

/** One name's password is guessed from many addresses, while its owner signs in where she has before. */
export const signIns: Attack = {
  secondsMin: guesses / guessesPerSecondMax,
  environment: { TRUSTED_PROXIES: '127.0.0.1' },
  async seed(store) {
    await addUsers(store, ['carla'], await createPasswords().hash(password))
  },
  async run(attacker) {
    const atHome = () => signIn(attacker, '198.51.100.7', 'carla', password)
    const known = await atHome()
    const perSecond = Math.min(guessesPerSecondMax, Math.max(2, guesses / attacker.seconds))
    const guess = (n: number) => signIn(attacker, `203.0.113.${n % addresses}`, 'carla', `wrong horse ${n}`)
    const [tried, gotIn] = await Promise.all([
      repeat(attacker, perSecond, guesses, guess, 'badCredentials'),
      repeat(attacker, 1, Number.POSITIVE_INFINITY, atHome, 'signed in'),
    ])
    return `${tried} guesses from ${addresses} addresses were tried, at ${perSecond.toFixed(0)}/s; the owner got in ${gotIn} times (before: ${known})`
  },
}

/** Each of many networks (/64) that one subscriber may have (a /48) guesses once, each time for another name. */
export const networksOfOne: Attack = {
  secondsMin: networks / guessesPerSecondMax,
  environment: { TRUSTED_PROXIES: '127.0.0.1' },
  async run(attacker) {
    const guess = (n: number) => signIn(attacker, `2001:db8:1:${n.toString(16)}::1`, `nobody${n}`, 'wrong horse')
    const tried = await repeat(attacker, guessesPerSecondMax, networks, guess, 'badCredentials')
    return `${tried} guesses from as many /64 of one /48 were tried`
  },
}
