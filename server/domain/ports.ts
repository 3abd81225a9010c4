import type { Bus } from './ports/bus.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Passwords } from './ports/passwords.ts'
import type { Presence } from './ports/presence.ts'
import type { RateLimiter, RateRule } from './ports/rates.ts'
import type { Store } from './ports/store.ts'

export type * from './ports/account-store.ts'
export type * from './ports/bus.ts'
export type * from './ports/clock.ts'
export type * from './ports/known-network-store.ts'
export type * from './ports/log.ts'
export type * from './ports/message-store.ts'
export type * from './ports/messages.ts'
export type * from './ports/node-store.ts'
export type * from './ports/passwords.ts'
export type * from './ports/presence.ts'
export type * from './ports/rates.ts'
export type * from './ports/store.ts'

/** All that the rules need from outside. */
export interface Ports {
  store: Store
  bus: Bus
  presence: Presence
  passwords: Passwords
  rates: RateLimiter
  rules: Record<
    | 'sendMessage'
    | 'storage'
    | 'call'
    | 'updateProfile'
    | 'login'
    | 'loginFromUnknown'
    | 'loginFromAddress'
    | 'register',
    RateRule
  >
  /** How long after it was sent a message may be edited; Infinity: for ever. */
  editWindowMs: number
  clock: Clock
  /** 256 random bits, base64url. */
  newToken(): string
  log: Log
}
