import { sessionEndedCode } from '../../../server/contract/protocol.ts'
import { createHttpCalls, type HttpAnswer, type HttpCall } from './http-calls.ts'
import { createHttpStreams } from './http-streams.ts'
import type { SocketLike } from './socket.ts'

/** Requests for queries at once. With that of mutations they have 60 calls, of the 100 that the server takes of a user. */
const queriesMax = 2
/** A stream and the requests under way can be cut by one cause; answers that are on their way may still come. */
const lastAnswersMs = 1_000
/** The code of a WebSocket that ends without a word. */
const cutCode = 1006
/** The server ends the streams of a session that says nothing for 30 s. */
const signOfLifeMs = 10_000

/**
 * Looks like a WebSocket and is plain HTTP, for networks that let no WebSocket through: calls are POSTed in batches,
 * subscriptions are streams of server-sent events, and a HEAD asks for a sign of life. It takes tRPC's frames, and answers with them;
 * but for a tracked event, which it passes on as `{ id, event }`, just as it came.
 */
export const createHttpSocket = (url: string): SocketLike => {
  const over = new AbortController()
  let token: string | null = null
  /** The server has taken the token, or there is none. */
  let isAdmitted = false
  let isClosing = false
  /** When something was said as this session. */
  let saidAt = performance.now()

  const request = (path: string, { signal, ...init }: RequestInit & { signal: AbortSignal }) => {
    const headers = { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) }
    return fetch(`${url}/${path}`, { method: 'POST', headers, cache: 'no-store', signal, ...init })
  }
  const speak: typeof request = (path, init) => {
    saidAt = performance.now()
    return request(path, init)
  }
  const postCalls = (path: string, body: string) => speak(path, { body, signal: over.signal })

  const say = (data: string) => socket.onmessage?.({ data } as never)

  const end = (code: number, reason: string) => {
    if (over.signal.aborted || isClosing) return
    terminate()
    socket.onclose?.({ code, reason } as never)
  }
  const terminate = () => {
    streams.end()
    for (const lane of lanes) lane.drop()
    over.abort()
  }

  const onAnswer = (call: HttpCall, answer: HttpAnswer) => {
    if (over.signal.aborted) return
    if ('error' in answer && answer.error.json.data.kind === 'sessionEnded') {
      return end(sessionEndedCode, answer.error.json.message)
    }
    if ('result' in answer) {
      if (call.path === 'login' || call.path === 'register') signIn(answer.result.data)
      say(JSON.stringify({ id: call.id, result: { type: 'data', ...answer.result } }))
    } else say(JSON.stringify({ id: call.id, ...answer }))
  }
  const signIn = (signedIn: unknown) => {
    token = (signedIn as { json: { session: { token: string } } }).json.session.token
    streams.signedIn()
  }

  const mutations = createHttpCalls({ post: postCalls, requestsMax: 1, onAnswer, onFail: end })
  const queries = createHttpCalls({ post: postCalls, requestsMax: queriesMax, onAnswer, onFail: end })
  const lanes = [mutations, queries]

  const admit = () => {
    isAdmitted = true
    for (const lane of lanes) lane.start()
  }
  const streams = createHttpStreams({
    post: (path, body, signal) => speak(path, { body, signal }),
    say,
    onSign() {
      giveSignOfLife()
      say('PONG')
    },
    onAdmitted: admit,
    onRefused({ message, data }, text) {
      if (isAdmitted) return end(data.kind === 'sessionEnded' ? sessionEndedCode : cutCode, message)
      // As a WebSocket is told that it may do nothing. No call was sent.
      say(`{"id":null,"error":${text}}`)
      end(cutCode, message)
    },
    async onCut(reason) {
      const late = new Promise((resolve) => setTimeout(resolve, lastAnswersMs))
      await Promise.race([Promise.all(lanes.map((lane) => lane.idle())), late])
      end(cutCode, reason)
    },
  })

  /** With what the server says on the streams, each 8 s: browsers let the timers of a hidden page wait for a minute. */
  const giveSignOfLife = () => {
    if (token === null || performance.now() - saidAt < signOfLifeMs) return
    // A network that is gone shows on the streams.
    speak('me', { method: 'GET', signal: over.signal }).catch(() => {})
  }

  /** Asks whether the server is there, and takes connections. */
  const knock = async (then: () => void) => {
    try {
      const { status } = await request('me', { method: 'HEAD', headers: {}, signal: over.signal })
      if (over.signal.aborted) return
      if (status === 204) then()
      else end(cutCode, `The server answered with HTTP ${status}`)
    } catch (error) {
      end(cutCode, error instanceof Error ? error.message : String(error))
    }
  }

  const take = (text: string) => {
    if (text === 'PING') return void knock(() => say('PONG'))
    const { id, method, data, params } = JSON.parse(text)
    if (method === 'connectionParams') {
      token = data?.token ?? null
      if (token === null) admit()
      else streams.signedIn()
    } else if (method === 'subscription.stop') streams.stop(id)
    else {
      const { path, input = {}, lastEventId } = params
      const call = { id, path, input: JSON.stringify(input) }
      if (method === 'subscription') void streams.open(id, { ...call, lastEventId })
      else (method === 'query' ? queries : mutations).add(call)
    }
  }

  const socket: SocketLike = {
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: take,
    /** What was said is still sent; nobody waits for the answers. */
    close() {
      isClosing = true
      for (const lane of lanes) lane.flush()
      streams.end()
    },
    terminate,
  }
  void knock(() => socket.onopen?.({} as never))
  return socket
}
