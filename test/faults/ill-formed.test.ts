import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startRawClient } from '../harness/raw-client.ts'
import { startWorld } from '../harness/world.ts'

// What is not UTF-8 is refused at every door, and never stored as other characters.

/** `{"json":{"to":"bob","text":"caf?"}}`, and the question mark is a byte that is no UTF-8. */
const ill = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  bytes[bytes.indexOf('?')] = 0xe9
  return bytes
}

test('[P10] over HTTP: a body, or an address, that is not UTF-8', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const headers = { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' }
  const post = async (path: string, body: Buffer) => {
    const response = await fetch(`${world.url}${path}`, { method: 'POST', headers, body: new Uint8Array(body) })
    return [response.status, await response.text()]
  }
  const refused = [
    400,
    expect.stringMatching(/"malformed".*The body is not UTF-8\.|The body is not UTF-8\..*"malformed"/),
  ]
  expect(await post('/trpc/sendMessage', ill('{"json":{"to":"bob","text":"caf?"}}'))).toEqual(refused)
  expect(await post('/trpc/sendMessage?batch=1', ill('{"0":{"json":{"to":"bob","text":"caf?"}}}'))).toEqual(refused)
  expect(await post('/api/messages', ill('{"to":"bob","text":"caf?"}'))).toEqual(refused)
  // The half of a character, at the end.
  expect(
    await post('/api/messages', Buffer.concat([Buffer.from('{"to":"bob","text":"caf"}'), Buffer.from([0xc3])])),
  ).toEqual(refused)

  const get = async (path: string) => {
    const response = await fetch(`${world.url}${path}`, { headers })
    return [response.status, await response.text()]
  }
  const wrongAddress = [400, expect.stringMatching(/malformed/)]
  const input = encodeURIComponent('{"json":{"conversation":"caf?"}}').replace('%3F', '%E9')
  expect(await get(`/trpc/history?input=${input}`)).toEqual(wrongAddress)
  expect(await get(`/trpc/onMessage?input=${input}`)).toEqual(wrongAddress)
  expect(await get('/api/conversations/caf%E9/messages')).toEqual(wrongAddress)
  expect(await get('/api/users/online?cursor=caf%E9')).toEqual(wrongAddress)

  // Not encoded at all: which characters the bytes are meant to be is anybody's guess.
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname)
  socket.write(
    Buffer.from(
      'GET /api/users/online?cursor=caf\xe9 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      'latin1',
    ),
  )
  expect(String((await once(socket, 'data'))[0])).toContain('HTTP/1.1 400')
  socket.destroy()

  // A character that arrives in two pieces is whole.
  await ada.send('bob', 'café')
  expect(await bob.received(1)).toEqual(['café'])
})

test('[P10] over WebSockets: a text, a binary frame, and fragments that are not UTF-8', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob')
  const frame = ill(
    JSON.stringify({
      id: 1,
      method: 'mutation',
      params: { path: 'sendMessage', input: { json: { to: 'bob', text: 'caf?' } } },
    }),
  )
  const ways: ((socket: WebSocket) => void)[] = [
    (socket) => socket.send(frame, { binary: true }),
    (socket) => socket.send(frame, { binary: false }),
    (socket) => {
      socket.send(frame.subarray(0, 20), { binary: true, fin: false })
      socket.send(frame.subarray(20), { binary: true, fin: true })
    },
  ]
  for (const send of ways) {
    await using raw = await startRawClient(world.url, ada.token)
    send(raw.socket)
    const [code] = await once(raw.socket, 'close')
    expect(code).toBe(1007)
  }
  const { messages } = await ada.client.history({ conversation: 'bob' })
  expect(messages).toEqual([])
})

test('connectionParams of another shape: the client is told at once that it is at fault', async () => {
  await using world = await startWorld()
  const first = async (frame: string) => {
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/trpc?connectionParams=1`)
    const said: string[] = []
    socket.on('message', (data) => said.push(String(data)))
    await once(socket, 'open')
    socket.send(frame)
    const [code, reason] = await once(socket, 'close')
    return [code, String(reason), said.join()]
  }
  for (const frame of [
    '{"method":"connectionParams","data":{"token":1}}',
    '{"method":"connectionParams","data":[]}',
    'junk',
    '[]',
  ]) {
    expect([frame, await first(frame)]).toEqual([
      frame,
      [1008, 'Invalid connection params shape', expect.stringMatching(/"id":null.*Invalid connection params shape/)],
    ])
  }
})
