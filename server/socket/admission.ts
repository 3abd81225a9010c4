import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server'
import { parseConnectionParamsFromUnknown } from '@trpc/server/unstable-core-do-not-import'
import type { Clock } from './clock.ts'
import { closeCodes } from './close-codes.ts'
import { isObject, parseJson } from './frames.ts'
import type { SocketLimits } from './limits.ts'

export type ConnectionParams = { [name: string]: string | undefined } | null

export interface AdmissionHost {
  readonly limits: SocketLimits
  readonly clock: Clock
  createContext(params: ConnectionParams): unknown
  onAdmitted(ctx: unknown): void
  onRejected(error: TRPCError): void
}

/**
 * From the open socket to its context: waits for the `connectionParams` where they were announced, asks the application,
 * and keeps what it said. It also knows until when all this, and naming the user, has to be done.
 */
export class Admission {
  readonly #host: AdmissionHost
  readonly #openedAt: number
  #phase: 'awaitingParams' | 'awaitingContext' | 'admitted' | 'rejected' = 'awaitingContext'
  #deadline = Number.POSITIVE_INFINITY
  rejection: TRPCError | undefined

  constructor(host: AdmissionHost) {
    this.#host = host
    this.#openedAt = host.clock.now()
  }

  /** @param withParams whether the first frame brings `connectionParams` */
  open(withParams: boolean) {
    if (!withParams) return void this.#ask(null)
    this.#phase = 'awaitingParams'
    this.#deadline = this.#openedAt + this.#host.limits.signInMs
  }

  /** @returns whether the frame was the one with the parameters */
  take(text: string): boolean {
    if (this.#phase !== 'awaitingParams') return false
    this.#phase = 'awaitingContext'
    try {
      const message = parseJson(text, this.#host.limits.maxJsonDepth)
      if (!isObject(message)) throw new Error('Not an object')
      void this.#ask(parseConnectionParamsFromUnknown(message.data))
    } catch (cause) {
      this.#reject(new TRPCError({ code: 'PARSE_ERROR', message: 'Malformed connectionParams message', cause }))
    }
    return true
  }

  async #ask(params: ConnectionParams) {
    this.#deadline = this.#openedAt + this.#host.limits.anonymousMs
    try {
      const ctx = await this.#host.createContext(params)
      this.#phase = 'admitted'
      this.#host.onAdmitted(ctx)
    } catch (cause) {
      this.#reject(getTRPCErrorFromUnknown(cause))
    }
  }

  #reject(error: TRPCError) {
    this.#phase = 'rejected'
    this.#deadline = this.#host.clock.now() + this.#host.limits.rejectMs
    this.rejection = error
    this.#host.onRejected(error)
  }

  /** The user has a name now; the connection may stay open. */
  identified() {
    if (this.#phase !== 'rejected') this.#deadline = Number.POSITIVE_INFINITY
  }

  /** Why the connection has to be closed at `now`, and with which code; null: it has not. */
  overdue(now: number): { code: number; reason: string } | null {
    if (now < this.#deadline) return null
    const error = this.rejection
    if (error === undefined) return { code: closeCodes.signInTimeout, reason: 'not signed in in time' }
    if (error.code === 'UNAUTHORIZED') return { code: closeCodes.unauthorized, reason: error.message }
    if (error.code === 'TOO_MANY_REQUESTS') return { code: closeCodes.tryAgainLater, reason: error.message }
    return { code: closeCodes.internalError, reason: 'no context' }
  }
}
