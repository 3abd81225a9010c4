import { maxBatch } from '../../../server/contract/protocol.ts'
import { readText } from './sse.ts'

/**
 * Silence in which a request counts as lost: longer than the server takes for anything. One connection of several can die
 * alone, and its request with it.
 */
const requestMs = 15_000
/** Bytes of a batch, unless it is a single call: at 2 kB/s it has left in 8 s. */
const batchMaxBytes = 16 * 1024

/** A query or a mutation on its way. */
export interface HttpCall {
  id: number
  path: string
  /** As JSON. */
  input: string
}

/** What the server says to one call, as it stands in a frame. */
export type HttpAnswer =
  | { result: { data: unknown } }
  | { error: { json: { message: string; data: { kind: string } } } }

export interface HttpCallsOptions {
  /** @throws what `fetch` throws */
  post(path: string, body: string): Promise<Response>
  /** How many requests may be under way. Mutations have one, so that they arrive in order. */
  requestsMax: number
  onAnswer(call: HttpCall, answer: HttpAnswer): void
  /** No answer will come; `code` as a WebSocket would be closed with. */
  onFail(code: number, reason: string): void
}

/** Gathers calls into requests. Those that come while all requests are under way go into the next one. */
export const createHttpCalls = ({ post, requestsMax, onAnswer, onFail }: HttpCallsOptions) => {
  let queue: HttpCall[] = []
  let running = 0
  let isHeld = true
  let onIdle = () => {}

  /** As many as fit from the front of the queue. */
  const nextBatch = (): HttpCall[] => {
    let bytes = 2
    let count = 0
    while (count < Math.min(queue.length, maxBatch)) {
      bytes += new TextEncoder().encode((queue[count] as HttpCall).input).length + 6
      if (count > 0 && bytes > batchMaxBytes) break
      count++
    }
    return queue.splice(0, count)
  }

  const request = async (batch: HttpCall[]) => {
    let late: ReturnType<typeof setTimeout> | undefined
    const expectMore = () => {
      clearTimeout(late)
      late = setTimeout(onFail, requestMs, 1006, 'The server did not answer a request')
    }
    expectMore()
    running++
    try {
      const paths = batch.map(({ path }) => path).join(',')
      const body = `{${batch.map(({ input }, i) => `"${i}":${input}`).join(',')}}`
      const response = await post(`${paths}?batch=1`, body)
      let text = ''
      await readText(response.body as ReadableStream, (piece) => {
        text += piece
        expectMore()
      })
      const answers: unknown = text.startsWith('[') ? JSON.parse(text) : null
      if (Array.isArray(answers) && answers.length === batch.length) {
        for (const [i, call] of batch.entries()) onAnswer(call, answers[i])
      } else {
        onFail(response.status === 413 ? 1009 : 1006, `The server answered with HTTP ${response.status}`)
      }
    } catch (error) {
      onFail(1006, error instanceof Error ? error.message : String(error))
    }
    clearTimeout(late)
    running--
    pump()
  }

  const pump = () => {
    while (!isHeld && queue.length > 0 && running < requestsMax) void request(nextBatch())
    if (running === 0) onIdle()
  }

  return {
    add(call: HttpCall) {
      // What is said in one go travels in one request.
      if (queue.push(call) === 1) queueMicrotask(pump)
    },
    /** Calls are held until then. */
    start() {
      isHeld = false
      pump()
    },
    /** Resolves when no request is under way. */
    idle: () =>
      new Promise<void>((resolve) => {
        if (running === 0) return resolve()
        onIdle = resolve
      }),
    /** Sends what was not sent yet, without waiting for what is under way. */
    flush() {
      while (!isHeld && queue.length > 0) void request(nextBatch())
    },
    drop() {
      queue = []
      isHeld = true
    },
  }
}
