import { setTimeout as sleep } from 'node:timers/promises'
import type { Attack } from '../attack.ts'
import { addUsers, tokenOf } from '../seed.ts'
import { callOverHttp } from './calls.ts'

/** MiB: little enough to be filled within the 20 messages that may be sent at once. */
const share = 0.2
const standardMiB = 64
const dayMs = 24 * 3_600_000
/** 4,000 characters of three bytes each: the most that one message may say. */
const text = '\u20ac'.repeat(4_000)
/** A wait as long as this is not that of the messages in a second. */
const longWaitMs = 10_000

/** One account stores as much as it may. */
export const storage: Attack = {
  environment: { STORAGE_PER_USER: String(share) },
  async seed(store) {
    await addUsers(store, ['hoarder', 'shelf'])
  },
  async run({ url, signal, seconds }) {
    const headers = { authorization: `Bearer ${tokenOf('hoarder')}` }
    let stored = 0
    let refusedFor = 0
    while (!signal.aborted && refusedFor < longWaitMs) {
      const { error } = await callOverHttp(url, 'sendMessage', { to: 'shelf', text }, headers)
      if (!error) stored += Buffer.byteLength(text)
      else if (error.kind !== 'rateLimited') return `${stored} bytes stored, then ${error.kind}`
      refusedFor = error?.retryAfterMs ?? 0
      if (refusedFor > 0) await sleep(Math.min(refusedFor, 1_000), undefined, { signal }).catch(() => {})
    }
    if (refusedFor < longWaitMs) return `${stored} bytes of text stored in ${seconds} s, and no end`
    const perSecond = (standardMiB * 1024 * 1024) / (dayMs / 1_000)
    const allowed = share * 1024 * 1024
    return `of ${allowed.toFixed(0)} bytes a day ${stored} were stored as text, the next one in ${(refusedFor / 60_000).toFixed(0)} min; the default of ${standardMiB} MiB is ${perSecond.toFixed(0)} bytes/s`
  },
}
