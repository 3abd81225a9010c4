import { isObject } from '../json.ts'

/** Why a call has no answer: what the server said, or that it said nothing. */
export class Failure extends Error {
  override readonly name = 'Failure'
  /** The error's `data` as the server sent it; empty where it sent none. */
  readonly data: Record<string, unknown>

  constructor(message: string, data: unknown = {}) {
    super(message)
    this.data = isObject(data) ? data : {}
  }
}

/** tRPC's error shape, as it arrives. */
export const readFailure = (shape: unknown): Failure => {
  const { message, data } = (isObject(shape) ? shape : {}) as { message?: unknown; data?: unknown }
  return new Failure(typeof message === 'string' ? message : 'The server answered with an error.', data)
}

export const asFailure = (thrown: unknown): Failure =>
  thrown instanceof Failure ? thrown : new Failure(thrown instanceof Error ? thrown.message : String(thrown))
