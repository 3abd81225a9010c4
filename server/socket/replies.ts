import { getErrorShape, getTRPCErrorFromUnknown, isTrackedEnvelope, type TRPCError } from '@trpc/server'
import type { AnyRouter, ProcedureType, TRPCErrorShape } from '@trpc/server/unstable-core-do-not-import'

/** What tRPC's `onError` gets. */
export interface ErrorInfo {
  error: TRPCError
  type: ProcedureType | 'unknown'
  path: string | undefined
  input: unknown
  ctx: unknown
}

export const started = '"result":{"type":"started"}}'
export const stopped = '"result":{"type":"stopped"}}'

/** What a client gets whose error cannot be formatted: nothing that the formatter might have hidden. */
const unformattable: TRPCErrorShape = {
  code: -32603,
  message: 'Internal server error',
  data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500 },
}

interface TextOutput {
  serialize(value: unknown): unknown
  /** The text of `serialize(value)`. */
  stringify?(value: unknown): string
}

/** Writes the part of an answer behind its id, in the router's own serialisation. */
export class Replies {
  readonly #router: AnyRouter
  readonly #onError: (info: ErrorInfo) => void
  readonly #unformattable: string
  /** The events of this turn. A WeakMap would need no end to it, but costs each garbage collection a walk. */
  #events = new Map<object, { id: string | undefined; text: Buffer }>()

  constructor(router: AnyRouter, onError: (info: ErrorInfo) => void) {
    this.#router = router
    this.#onError = onError
    // Made now: when it is needed, something is broken already.
    this.#unformattable = this.#errorText(unformattable)
  }

  /** @throws whatever serialising `value` throws */
  data(value: unknown): string {
    return `"result":{"type":"data"${this.#dataText(value)}}}`
  }

  /** An event of a subscription. However many subscriptions yield the same object in one turn of the event loop, it is
   *  serialised once: what was yielded must not change any more. A tracked event is the same only under the same id.
   *  @throws whatever serialising `value` throws */
  event(value: unknown): Buffer {
    const [id, data] = isTrackedEnvelope(value) ? value : [undefined, value]
    if (typeof data !== 'object' || data === null) return this.#eventText(id, data)
    const known = this.#events.get(data)
    if (known !== undefined && known.id === id) return known.text
    const text = this.#eventText(id, data)
    if (this.#events.size === 0) setImmediate(this.#forgetEvents)
    this.#events.set(data, { id, text })
    return text
  }

  readonly #forgetEvents = () => {
    this.#events = new Map()
  }

  /** Never throws: an error that cannot be formatted is reported, and answered with one that says nothing. */
  error(info: ErrorInfo): string {
    try {
      return this.#errorText(getErrorShape({ config: this.#router._def._config, ...info }))
    } catch (cause) {
      this.#onError({ ...info, error: getTRPCErrorFromUnknown(cause) })
      return this.#unformattable
    }
  }

  #eventText(id: string | undefined, data: unknown): Buffer {
    if (id === undefined) return Buffer.from(this.data(data))
    return Buffer.from(`"result":{"type":"data"${this.#dataText({ id, data })},"id":${JSON.stringify(id)}}}`)
  }

  /** A transformer may have a way to the text that is shorter than `serialize` and JSON. */
  #dataText(value: unknown): string {
    const { output }: { output: TextOutput } = this.#router._def._config.transformer
    const text = output.stringify ? output.stringify(value) : JSON.stringify(output.serialize(value))
    return text === undefined ? '' : `,"data":${text}`
  }

  #errorText(shape: unknown): string {
    return `"error":${JSON.stringify(this.#serialize(shape))}}`
  }

  #serialize(value: unknown): unknown {
    return this.#router._def._config.transformer.output.serialize(value)
  }
}
