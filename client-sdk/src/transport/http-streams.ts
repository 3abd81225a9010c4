import { readEvents, type StreamEvent } from './sse.ts'

/** The server says something on each stream every 8 s. */
const quietMs = 13_000

/** A stream of nothing: it says only that this client is there, which who is online goes by. */
const presence = { path: 'onStatus', input: '{"json":{"users":[]}}', lastEventId: undefined }

export interface StreamRequest {
  path: string
  /** As JSON. */
  input: string
  lastEventId: string | undefined
}

/** What is read here of an error. */
export interface StreamError {
  message: string
  data: { kind: string }
}

export interface HttpStreamsOptions {
  /** @throws what `fetch` throws */
  post(path: string, body: string, signal: AbortSignal): Promise<Response>
  /** A frame for connection.ts. */
  say(frame: string): void
  /** Something came in. */
  onSign(): void
  /** The server has taken the token. */
  onAdmitted(): void
  /** The server lets this client do nothing; `text` is the error as it came. */
  onRefused(error: StreamError, text: string): void
  /** A stream ended without a word, or was silent. */
  onCut(reason: string): void
}

/**
 * The subscriptions of a client, each a stream of its own. As long as it is signed in there is at least one; of those that
 * are open any will do, since browsers open no more than six connections to a server without HTTP/2.
 */
export const createHttpStreams = (options: HttpStreamsOptions) => {
  const streams = new Map<number, AbortController>()
  /** The id of the stream of nothing; calls and subscriptions count from 0. */
  const presenceId = -1
  let isSignedIn = false
  let isAdmitted = false
  let isOver = false

  const open = async (id: number, { path, input, lastEventId }: StreamRequest) => {
    const ended = new AbortController()
    streams.set(id, ended)
    const { signal } = ended
    let timer: ReturnType<typeof setTimeout> | undefined
    const expectMore = () => {
      clearTimeout(timer)
      timer = setTimeout(cut, quietMs, 'The server sends nothing')
    }
    const cut = (reason: string) => {
      if (!signal.aborted) options.onCut(reason)
    }
    signal.addEventListener('abort', () => clearTimeout(timer))
    expectMore()
    try {
      const place = lastEventId === undefined ? '' : `?lastEventId=${encodeURIComponent(lastEventId)}`
      const { status, body } = await options.post(path + place, input, signal)
      if (status !== 200 || !body) return cut(`The server answered with HTTP ${status}`)
      const onBytes = () => {
        expectMore()
        options.onSign()
      }
      await readEvents(body, onBytes, (event) => {
        if (!signal.aborted) take(id, event)
      })
      cut('The server ended a stream')
    } catch (error) {
      cut(error instanceof Error ? error.message : String(error))
    } finally {
      clearTimeout(timer)
    }
  }

  const take = (id: number, { type, data, id: eventId }: StreamEvent) => {
    if (type === 'connected') return answer(id, '{"type":"started"}')
    if (type === 'serialized-error') return fail(id, data)
    if (isSignedIn && !isAdmitted) {
      isAdmitted = true
      options.onAdmitted()
    }
    // Another stream says that this client is there.
    if (id !== presenceId) close(presenceId)
    if (type === 'return') {
      answer(id, '{"type":"stopped"}')
      close(id)
      keepOne()
    } else if (type === 'message') {
      const event = eventId === '' ? `"data":${data}` : `"id":${JSON.stringify(eventId)},"event":${data}`
      answer(id, `{"type":"data",${event}}`)
    }
  }

  const answer = (id: number, result: string) => {
    if (id !== presenceId) options.say(`{"id":${id},"result":${result}}`)
  }

  const fail = (id: number, text: string) => {
    close(id)
    const error: StreamError = JSON.parse(text).json
    const { kind } = error.data
    const isAtTheDoor = isSignedIn && !isAdmitted && kind === 'tooManyConnections'
    if (id === presenceId || kind === 'sessionEnded' || isAtTheDoor) return options.onRefused(error, text)
    options.say(`{"id":${id},"error":${text}}`)
    keepOne()
  }

  const close = (id: number) => {
    streams.get(id)?.abort()
    streams.delete(id)
  }

  const keepOne = () => {
    if (isSignedIn && !isOver && streams.size === 0) void open(presenceId, presence)
  }

  return {
    open,
    stop(id: number) {
      close(id)
      keepOne()
    },
    signedIn() {
      isSignedIn = true
      // The subscriptions that are said in the same go come first.
      queueMicrotask(keepOne)
    },
    end() {
      isOver = true
      for (const id of [...streams.keys()]) close(id)
    },
  }
}
