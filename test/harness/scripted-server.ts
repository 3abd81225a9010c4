import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import superjson from 'superjson'
import { type WebSocket, WebSocketServer } from 'ws'
import { createInbox } from './plain-client.ts'

/** What the client asked for. */
interface Asked {
  id: number
  path: string
  input: unknown
  lastEventId: string | undefined
}

export interface ScriptedServer extends AsyncDisposable {
  url: string
  /** How many connections there have been. */
  connections(): number
  /** The newest subscription of this procedure, once there were so many; one, if left out. */
  subscribed(path: string, count?: number): Promise<Asked>
  /** Says this on the connection, just as it is. */
  say(frame: unknown): void
  /** A tracked event of a subscription. */
  tell(to: Asked, id: string, event: unknown): void
  cut(): void
}

/**
 * A server that says what a test wants, in tRPC's frames: as one does that knows more than this client.
 * @param answers what each procedure answers; an Error's `data` is told as an error
 */
export const startScriptedServer = async (
  answers: Record<string, (input: never) => unknown>,
): Promise<ScriptedServer> => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const asked = createInbox<Asked>()
  let connections = 0
  let socket: WebSocket | undefined

  const say = (frame: unknown) => socket?.send(JSON.stringify(frame))
  const answer = ({ id, path, input }: Asked) => {
    const answered = answers[path]?.(input as never)
    if (answered instanceof Error) {
      return say({ id, error: superjson.serialize({ message: answered.message, code: -32000, data: answered.cause }) })
    }
    say({ id, result: { type: 'data', data: superjson.serialize(answered) } })
  }
  server.on('connection', (opened) => {
    connections++
    socket = opened
    opened.on('message', (data) => {
      const text = String(data)
      if (text === 'PING') return opened.send('PONG')
      const { id, method, params } = JSON.parse(text)
      if (method === 'connectionParams' || method === 'subscription.stop') return
      const input = params.input?.json === undefined ? undefined : superjson.deserialize(params.input)
      const request: Asked = { id, path: params.path, input, lastEventId: params.lastEventId }
      if (method !== 'subscription') return answer(request)
      say({ id, result: { type: 'started' } })
      asked.add(request)
    })
  })
  const subscriptions = (path: string) => asked.items.filter((each) => each.path === path)

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async subscribed(path, count = 1) {
      await asked.until(() => subscriptions(path).length >= count)
      return subscriptions(path).at(-1) as Asked
    },
    say,
    tell(to, id, event) {
      say({ id: to.id, result: { id, type: 'data', data: superjson.serialize({ id, data: event }) } })
    },
    cut: () => socket?.terminate(),
    async [Symbol.asyncDispose]() {
      for (const each of server.clients) each.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}
