/**
 * Whether the peer is still there: it is asked after `pingMs` of silence, and has `pongMs` to say anything at all.
 * @returns a look at `now`; `sign` is any number that has changed if the peer gave a sign of life since the last look
 */
export const createLiveness = (limits: { pingMs: number; pongMs: number }) => {
  const { pingMs, pongMs } = limits
  let lastSign = Number.NaN
  let aliveAt = 0
  let pingedAt: number | undefined

  return (now: number, sign: number): 'alive' | 'ping' | 'dead' => {
    if (sign !== lastSign) {
      lastSign = sign
      aliveAt = now
      pingedAt = undefined
    } else if (pingedAt !== undefined) {
      if (now - pingedAt >= pongMs) return 'dead'
    } else if (now - aliveAt >= pingMs) {
      pingedAt = now
      return 'ping'
    }
    return 'alive'
  }
}
