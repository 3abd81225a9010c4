import { isObject } from '../json.ts'
import { Failure, readFailure } from './failure.ts'
import type { Transformer } from './transformer.ts'

export type ConnectionState =
  /** Nobody needs it yet. */
  | { status: 'idle' }
  | { status: 'connecting' }
  | { status: 'open' }
  /** It was lost and comes back by itself. */
  | { status: 'lost'; why: string }
  /** It was cut here, and stays so until `connect`. */
  | { status: 'cut' }
  /** The server closed it for good. */
  | { status: 'refused'; why: string }

export interface SubscriptionHandlers {
  /** Also after each resume, with the cursor that it went on from. */
  onStarted(resumedFrom: string | null): void
  /** `id`: of a tracked event. */
  onData(value: unknown, id: string | null): void
  /** The connection is gone; the subscription goes on when it is back. */
  onLost(): void
  /** It is over; `failure` unless the server simply ended it. */
  onEnd(failure: Failure | null): void
}

export interface ConnectionOptions {
  url: string
  connectionParams: Record<string, string> | null
  transformer: Transformer
  finalCloseCodes: number[]
  onState(state: ConnectionState): void
}

interface Waiting {
  frame: string
  resolve(value: unknown): void
  reject(failure: Failure): void
}

interface Subscribed {
  path: string
  /** As it travels. */
  input: unknown
  cursor: string | null
  handlers: SubscriptionHandlers
}

/** A network that says nothing at all: silence after which it is asked, and again how long that may take. */
const pingMs = 15_000
const backoffMs = [250, 10_000] as const
const answerMs = 30_000

/**
 * tRPC over one WebSocket. Not tRPC's own client, since this one can be cut and stay cut, tells of each cut and resume, and
 * gives up where the server says that it is of no use. It resumes as that client does: with the id of the last tracked event.
 */
export const createConnection = (options: ConnectionOptions) => {
  const { transformer } = options
  let socket: WebSocket | null = null
  let state: ConnectionState = { status: 'idle' }
  let nextId = 1
  let attempts = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Asked for by somebody, and not only by what runs on it. */
  let wanted = false
  const calls = new Map<number, Waiting>()
  const subscriptions = new Map<number, Subscribed>()

  const become = (next: ConnectionState) => {
    state = next
    options.onState(next)
  }
  const isNeeded = () => wanted || subscriptions.size > 0 || calls.size > 0
  const send = (frame: string) => {
    if (state.status === 'open') socket?.send(frame)
  }
  const request = (id: number, method: string, path: string, input: unknown, lastEventId: string | null) =>
    JSON.stringify({
      id,
      method,
      params: {
        path,
        ...(input !== undefined && { input }),
        ...(lastEventId !== null && { lastEventId }),
      },
    })

  const open = () => {
    become({ status: 'connecting' })
    const opening = new WebSocket(options.url + (options.connectionParams ? '?connectionParams=1' : ''))
    socket = opening
    // Frames of a socket that was dropped may still come; they are nobody's.
    const ifCurrent =
      <Event>(handle: (event: Event) => void) =>
      (event: Event) => {
        if (socket === opening) handle(event)
      }
    opening.onopen = ifCurrent(onOpen)
    opening.onmessage = ifCurrent(({ data }: MessageEvent) => onText(String(data)))
    opening.onclose = ifCurrent(({ code, reason }: CloseEvent) => onLost(code, reason))
    expectSign(() => onLost(1006, 'no answer'))
  }

  /** One timer for all waiting: for the opening, for any frame, for the next attempt. */
  const expectSign = (onSilence: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(onSilence, pingMs)
  }
  const ask = () => {
    send('PING')
    expectSign(() => onLost(1006, 'no answer'))
  }

  const onOpen = () => {
    attempts = 0
    become({ status: 'open' })
    expectSign(ask)
    if (options.connectionParams) {
      send(JSON.stringify({ method: 'connectionParams', data: options.connectionParams }))
    }
    for (const { frame } of calls.values()) send(frame)
    for (const [id, subscribed] of subscriptions) begin(id, subscribed)
  }
  const begin = (id: number, { path, input, cursor }: Subscribed) =>
    send(request(id, 'subscription', path, input, cursor))

  const onText = (text: string) => {
    expectSign(ask)
    if (text === 'PING') return send('PONG')
    if (text === 'PONG') return
    const frame = JSON.parse(text) as { id: number | null; method?: string; error?: unknown; result?: Result }
    if (frame.method === 'reconnect') return onLost(1012, 'the server asks for a new connection')
    const failure = frame.error === undefined ? null : readFailure(transformer.read(frame.error))
    if (frame.id === null) {
      // Something of what was sent could not be read, and the server does not know whose it was.
      if (failure) for (const id of [...calls.keys(), ...subscriptions.keys()]) onFailure(id, failure)
    } else if (failure) onFailure(frame.id, failure)
    else if (frame.result) onResult(frame.id, frame.result)
  }

  const onFailure = (id: number, failure: Failure) => {
    calls.get(id)?.reject(failure)
    calls.delete(id)
    end(id, failure)
  }
  const onResult = (id: number, { type, id: eventId, data }: Result) => {
    const call = calls.get(id)
    const subscribed = subscriptions.get(id)
    if (call) {
      calls.delete(id)
      call.resolve(transformer.read(data))
    } else if (subscribed && type === 'started') {
      subscribed.handlers.onStarted(subscribed.cursor)
    } else if (subscribed && type === 'stopped') {
      end(id, null)
    } else if (subscribed) {
      const value = transformer.read(data)
      if (eventId !== undefined) subscribed.cursor = eventId
      // Tracked events travel as { id, data }.
      const isTracked = eventId !== undefined && isObject(value) && 'data' in value
      subscribed.handlers.onData(isTracked ? value.data : value, eventId ?? null)
    }
  }
  const end = (id: number, failure: Failure | null) => {
    const subscribed = subscriptions.get(id)
    if (!subscribed) return
    subscriptions.delete(id)
    subscribed.handlers.onEnd(failure)
  }

  /** Lets go of the socket. Calls under way cannot be repeated safely, so they fail; subscriptions wait. */
  const drop = (why: string) => {
    clearTimeout(timer)
    const dropped = socket
    socket = null
    dropped?.close()
    for (const { reject } of calls.values()) {
      reject(new Failure(`${why} before the answer came; the call may have been carried out.`))
    }
    calls.clear()
    for (const { handlers } of subscriptions.values()) handlers.onLost()
  }

  const onLost = (code: number, reason: string) => {
    const unsaid =
      state.status === 'connecting' ? 'the server is not there, or refuses this page' : 'no reason was given'
    const why = `${reason === '' ? unsaid : reason} (${code})`
    drop('The connection was lost')
    if (options.finalCloseCodes.includes(code)) {
      wanted = false
      become({ status: 'refused', why })
      for (const id of [...subscriptions.keys()]) end(id, new Failure(`The connection was closed for good: ${why}`))
    } else if (isNeeded()) {
      become({ status: 'lost', why })
      const [first, most] = backoffMs
      timer = setTimeout(open, Math.min(first * 2 ** attempts++, most) * (0.5 + Math.random() / 2))
    } else {
      become({ status: 'idle' })
    }
  }

  const openIfIdle = () => {
    if (state.status === 'idle') open()
  }

  return {
    /** Opens it, and keeps it open; also after a cut. */
    connect() {
      wanted = true
      if (state.status === 'open' || state.status === 'connecting') return
      clearTimeout(timer)
      open()
    },
    /** As if the network had gone, until `connect`. */
    cut() {
      drop('The connection was cut')
      become({ status: 'cut' })
    },
    /** @throws Failure */
    async call(kind: 'query' | 'mutation', path: string, input: unknown): Promise<unknown> {
      if (state.status === 'cut' || state.status === 'refused' || state.status === 'lost') {
        throw new Failure('There is no connection; this call was not sent.')
      }
      const id = nextId++
      const frame = request(id, kind, path, transformer.write(input), null)
      return new Promise((resolve, reject) => {
        calls.set(id, { frame, resolve, reject })
        setTimeout(() => {
          if (calls.delete(id)) reject(new Failure(`No answer came within ${answerMs / 1000} s.`))
        }, answerMs)
        if (state.status === 'open') send(frame)
        else openIfIdle()
      })
    },
    /** @returns a function that stops it. @throws what the transformer throws */
    subscribe(path: string, input: unknown, handlers: SubscriptionHandlers): () => void {
      const id = nextId++
      const subscribed: Subscribed = { path, input: transformer.write(input), cursor: null, handlers }
      subscriptions.set(id, subscribed)
      if (state.status === 'open') begin(id, subscribed)
      else if (state.status === 'refused') queueMicrotask(() => end(id, new Failure('There is no connection.')))
      else openIfIdle()
      return () => {
        if (!subscriptions.delete(id)) return
        send(JSON.stringify({ id, method: 'subscription.stop' }))
        handlers.onEnd(null)
      }
    },
    /** For good. */
    close() {
      subscriptions.clear()
      drop('The connection was closed')
    },
  }
}

export type Connection = ReturnType<typeof createConnection>

interface Result {
  type?: 'started' | 'stopped' | 'data'
  id?: string
  data?: unknown
}
