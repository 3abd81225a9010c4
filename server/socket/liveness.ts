/** Whether the peer is still there: it is asked after `pingMs` of silence, and has `pongMs` to say anything at all. */
export class Liveness {
  readonly #limits: { pingMs: number; pongMs: number }
  #sign = Number.NaN
  #aliveAt = 0
  #pingedAt: number | undefined

  constructor(limits: { pingMs: number; pongMs: number }) {
    this.#limits = limits
  }

  /** @param sign any number that has changed if the peer gave a sign of life since the last look */
  look(now: number, sign: number): 'alive' | 'ping' | 'dead' {
    if (sign !== this.#sign) {
      this.#sign = sign
      this.#aliveAt = now
      this.#pingedAt = undefined
    } else if (this.#pingedAt !== undefined) {
      if (now - this.#pingedAt >= this.#limits.pongMs) return 'dead'
    } else if (now - this.#aliveAt >= this.#limits.pingMs) {
      this.#pingedAt = now
      return 'ping'
    }
    return 'alive'
  }
}
