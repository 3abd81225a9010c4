import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server'
import { parseConnectionParamsFromUnknown } from '@trpc/server/unstable-core-do-not-import'
import type { Clock } from './clock.ts'
import { closeCodes } from './close-codes.ts'
import { isObject, parseJson } from './frames.ts'
import type { SocketLimits } from './limits.ts'

export type ConnectionParams = { [name: string]: string | undefined } | null

/** Asks the application. */
export type CreateContext = (params: ConnectionParams) => unknown

export interface AdmissionOptions {
  limits: SocketLimits
  clock: Clock
  onAdmitted(ctx: unknown): void
  onRejected(error: TRPCError): void
}

export interface Admission {
  /** What the application said; undefined until then. The admission alone changes it, and `rejection`. */
  readonly ctx: unknown
  readonly rejection: TRPCError | undefined
  /** @param withParams whether the first frame brings `connectionParams` */
  open(withParams: boolean, createContext: CreateContext): void
  /** @returns whether the frame was the one with the parameters */
  receive(text: string): boolean
  /** The user has a name now; the connection may stay open. */
  identified(): void
  /** Why the connection has to be closed at `now`, and with which code; null: it has not. */
  overdue(now: number): { code: number; reason: string } | null
}

/**
 * From the open socket to its context: waits for the `connectionParams` where they were announced, asks the application,
 * and keeps what it said. It also knows until when all this, and naming the user, has to be done.
 */
export const createAdmission = (options: AdmissionOptions): Admission => {
  const { limits, clock, onAdmitted, onRejected } = options
  const openedAt = clock.now()
  /** While the parameters are still to come. Kept no longer: it holds the request. */
  let waiting: CreateContext | undefined
  let deadline = Number.POSITIVE_INFINITY

  const ask = async (createContext: CreateContext, params: ConnectionParams) => {
    deadline = openedAt + limits.anonymousMs
    try {
      const ctx = await createContext(params)
      admission.ctx = ctx
      onAdmitted(ctx)
    } catch (cause) {
      reject(getTRPCErrorFromUnknown(cause))
    }
  }

  const reject = (error: TRPCError) => {
    deadline = clock.now() + limits.rejectMs
    admission.rejection = error
    onRejected(error)
  }

  const admission = {
    ctx: undefined as unknown,
    rejection: undefined as TRPCError | undefined,

    open(withParams: boolean, createContext: CreateContext) {
      if (!withParams) return void ask(createContext, null)
      waiting = createContext
      deadline = openedAt + limits.signInMs
    },

    receive(text: string) {
      if (waiting === undefined) return false
      const createContext = waiting
      waiting = undefined
      try {
        const message = parseJson(text, limits.maxJsonDepth)
        if (!isObject(message)) throw new Error('Not an object')
        void ask(createContext, parseConnectionParamsFromUnknown(message.data))
      } catch {
        reject(new TRPCError({ code: 'PARSE_ERROR', message: 'Invalid connection params shape' }))
      }
      return true
    },

    identified() {
      if (admission.rejection === undefined) deadline = Number.POSITIVE_INFINITY
    },

    overdue(now: number) {
      return now < deadline ? null : overdueBy(admission.rejection)
    },
  }
  return admission
}

const overdueBy = (rejection: TRPCError | undefined): { code: number; reason: string } => {
  if (rejection === undefined) return { code: closeCodes.signInTimeout, reason: 'not signed in in time' }
  if (rejection.code === 'UNAUTHORIZED') return { code: closeCodes.unauthorized, reason: rejection.message }
  if (rejection.code === 'TOO_MANY_REQUESTS') return { code: closeCodes.tryAgainLater, reason: rejection.message }
  return { code: closeCodes.internalError, reason: 'no context' }
}
