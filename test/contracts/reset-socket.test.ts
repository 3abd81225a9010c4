import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { resetSocket } from '../harness/reset-socket.ts'

test.each<[string, (socket: Socket) => void]>([
  ['open', () => {}],
  ['just being ended', (socket) => socket.end()],
])(
  'the harness: a connection that is %s is closed by a reset, and its other side hears of it',
  async (_state, before) => {
    await using server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
    const [other] = (await once(server, 'connection')) as [Socket]
    await once(client, 'ready')
    const errors: Error[] = []
    client.on('error', (error) => errors.push(error))
    before(client)
    resetSocket(client)
    const closed = new Promise((resolve) => other.on('close', resolve))
    other.on('error', () => {})
    // What is said to a closed socket is answered with a reset, once it has come.
    const saying = setInterval(() => other.write('?'), 5)
    other.resume()
    await closed
    clearInterval(saying)
    expect(errors).toEqual([])
  },
)
