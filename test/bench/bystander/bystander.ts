import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { tokenOf } from './seed.ts'

/** What the bystander noticed. */
export interface Noticed {
  asked: number
  /** Milliseconds of each call; of one that was not answered, how long she has waited. */
  me: number[]
  history: number[]
  /** How many had no result, and why. */
  failed: Map<string, number>
}

export interface Bystander {
  during(ms: number): Promise<Noticed>
  close(): void
}

/** Each of both calls begins so often, whether or not those before it were answered. */
const everyMs = 50
const answerWaitMs = 10_000
const reconnectMs = 250

const calls = {
  me: { path: 'me' },
  history: { path: 'history', input: { json: { conversation: 'bo', limit: 50 } } },
}
type CallName = keyof typeof calls

/** Not by the SDK, which asks again where it was refused, and connects again, so that nobody sees it. */
export const connectBystander = async (url: string): Promise<Bystander> => {
  const inFlight = new Map<number, { name: CallName; begun: number }>()
  let noticed = nothing()
  let lastId = 0
  let closed = false

  const fail = (why: string) => noticed.failed.set(why, (noticed.failed.get(why) ?? 0) + 1)
  const failAll = (why: string) => {
    for (const call of inFlight.values()) {
      fail(why)
      took(call)
    }
    inFlight.clear()
  }
  const took = ({ name, begun }: { name: CallName; begun: number }) => noticed[name].push(performance.now() - begun)
  const connect = (): WebSocket => {
    const connecting = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`, {
      perMessageDeflate: false,
    })
    const data = { token: tokenOf('ada') }
    connecting.on('open', () => connecting.send(JSON.stringify({ method: 'connectionParams', data })))
    connecting.on('message', (text: Buffer) => settle(JSON.parse(text.toString())))
    connecting.on('error', () => {})
    connecting.on('close', (code) => {
      failAll(`closed with ${code}`)
      if (!closed) setTimeout(reconnect, reconnectMs)
    })
    return connecting
  }
  const reconnect = () => {
    socket = connect()
  }
  const settle = ({ id, error }: { id: number; error?: { json: { data: { kind: string } } } }) => {
    const call = inFlight.get(id)
    if (!call) return
    inFlight.delete(id)
    if (error) fail(error.json.data.kind)
    else took(call)
  }
  const ask = (name: CallName) => {
    noticed.asked++
    if (socket.readyState !== WebSocket.OPEN) {
      fail('not connected')
      return
    }
    const id = ++lastId
    inFlight.set(id, { name, begun: performance.now() })
    socket.send(JSON.stringify({ id, method: 'query', params: calls[name] }))
  }

  let socket = connect()
  await once(socket, 'open')
  return {
    async during(ms) {
      noticed = nothing()
      const asking = setInterval(() => (['me', 'history'] as const).forEach(ask), everyMs)
      await sleep(ms)
      clearInterval(asking)
      for (const end = performance.now() + answerWaitMs; inFlight.size > 0 && performance.now() < end; ) await sleep(10)
      failAll('not answered')
      return noticed
    },
    close() {
      closed = true
      socket.close()
    },
  }
}

const nothing = (): Noticed => ({ asked: 0, me: [], history: [], failed: new Map() })
