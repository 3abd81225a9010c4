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

/** Writes the part of an answer behind its id. */
export interface Replies {
  /** @throws whatever serialising `value` throws */
  data(value: unknown): string
  /** An event of a subscription. However many subscriptions yield the same object in one turn of the event loop, it is
   *  serialised once: what was yielded must not change any more. A tracked event is the same only under the same id.
   *  @throws whatever serialising `value` throws */
  event(value: unknown): Buffer
  /** Never throws: an error that cannot be formatted is reported, and answered with one that says nothing. */
  error(info: ErrorInfo): string
}

/** In the router's own serialisation. */
export const createReplies = (router: AnyRouter, onError: (info: ErrorInfo) => void): Replies => {
  const config = router._def._config
  const { output }: { output: TextOutput } = config.transformer
  /** The events of this turn. A WeakMap would need no end to it, but costs each garbage collection a walk. */
  let events = new Map<object, { id: string | undefined; text: Buffer }>()
  const forgetEvents = () => {
    events = new Map()
  }

  /** A transformer may have a way to the text that is shorter than `serialize` and JSON. */
  const dataText = (value: unknown): string => {
    const text = output.stringify ? output.stringify(value) : JSON.stringify(output.serialize(value))
    return text === undefined ? '' : `,"data":${text}`
  }
  const data = (value: unknown): string => `"result":{"type":"data"${dataText(value)}}}`
  const eventText = (id: string | undefined, value: unknown): Buffer =>
    Buffer.from(
      id === undefined
        ? data(value)
        : `"result":{"type":"data"${dataText({ id, data: value })},"id":${JSON.stringify(id)}}}`,
    )
  const errorText = (shape: unknown): string => `"error":${JSON.stringify(output.serialize(shape))}}`
  // Made now: when it is needed, something is broken already.
  const unformattableText = errorText(unformattable)

  return {
    data,
    event(value) {
      const [id, content] = isTrackedEnvelope(value) ? value : [undefined, value]
      if (typeof content !== 'object' || content === null) return eventText(id, content)
      const known = events.get(content)
      if (known !== undefined && known.id === id) return known.text
      const text = eventText(id, content)
      if (events.size === 0) setImmediate(forgetEvents)
      events.set(content, { id, text })
      return text
    },
    error(info) {
      try {
        return errorText(getErrorShape({ config, ...info }))
      } catch (cause) {
        onError({ ...info, error: getTRPCErrorFromUnknown(cause) })
        return unformattableText
      }
    },
  }
}
