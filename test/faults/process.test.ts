import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createClient } from '../../client-sdk/src/node.ts'
import type { Message } from '../../server/contract/index.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { failToStart, startProcess } from '../harness/process.ts'
import { password } from '../harness/world.ts'

test('[P1] [P3] kill -9 in the middle of it, three times: every acknowledged message is there, dense and in order', async () => {
  await using directory = await temporaryDirectory()
  const acknowledged = new Map<string, Message>()
  let tokens: string[] = []

  for (let round = 0; round < 3; round++) {
    await using server = await startProcess({ DATA_DIR: directory.path })
    if (round === 0) tokens = await registerPair(server.url)
    const people = tokens.map((token) => createClient({ url: server.url, token }))
    const enough = new Promise<void>((resolve) => {
      for (const [i, client] of people.entries()) {
        const to = i === 0 ? 'bob' : 'ada'
        const sendOn = (n: number): Promise<void> =>
          client.sendMessage({ to, text: `${round} ${i} ${n}` }).then((message) => {
            acknowledged.set(message.id, message)
            if (acknowledged.size >= (round + 1) * 200) resolve()
            return sendOn(n + 1)
          })
        // Ten at once from each; they end with the connection.
        for (let lane = 0; lane < 10; lane++) sendOn(lane * 10_000).catch(() => {})
      }
    })
    await enough
    await server.stop('SIGKILL')
    for (const client of people) client.close()
  }

  await using server = await startProcess({ DATA_DIR: directory.path })
  const ada = createClient({ url: server.url, token: tokens[0] as string })
  const stored = new Map<string, Message>()
  for (let after: number | null = 0; after !== null; ) {
    const page = await ada.history({ conversation: 'bob', after, limit: 100 })
    for (const message of page.messages) stored.set(message.id, message)
    after = page.nextAfter
  }
  ada.close()
  expect([...stored.values()].map(({ seq }) => seq)).toEqual(Array.from({ length: stored.size }, (_, i) => i + 1))
  expect(acknowledged.size).toBeGreaterThanOrEqual(600)
  for (const { id, text, sentAt } of acknowledged.values()) expect(stored.get(id)).toMatchObject({ text, sentAt })
})

const registerPair = async (url: string): Promise<string[]> => {
  const tokens: string[] = []
  for (const username of ['ada', 'bob']) {
    const client = createClient({ url })
    tokens.push((await client.register({ username, password })).session.token)
    client.close()
  }
  return tokens
}

test('SIGTERM: calls that run are answered, clients are told to come back, and the process ends with 0', async () => {
  await using directory = await temporaryDirectory()
  await using server = await startProcess({ DATA_DIR: directory.path })
  const client = createClient({ url: server.url })
  await client.register({ username: 'ada', password })
  const sends = Promise.all(Array.from({ length: 50 }, (_, i) => client.sendMessage({ to: 'ada', text: `${i}` })))
  const first = await client.sendMessage({ to: 'ada', text: 'last' })
  expect(first.seq).toBe(51)
  const lost = new Promise((resolve) => {
    client.onState((state) => state.status === 'offline' && resolve(state))
  })
  expect(await server.stop('SIGTERM')).toBe(0)
  expect(await sends).toHaveLength(50)
  expect(await lost).toMatchObject({ error: { kind: 'connectionLost' } })
  client.close()
})

test('[P10] SIGTERM: who trickles a request in, or reads no answer, does not keep the process', async () => {
  await using directory = await temporaryDirectory()
  await using server = await startProcess({ DATA_DIR: directory.path })
  const { hostname, port } = new URL(server.url)
  const trickle = connect(Number(port), hostname).on('error', () => {})
  await once(trickle, 'connect')
  trickle.write(
    'POST /trpc/login HTTP/1.1\r\nHost: parley\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  )
  // Served on another connection, so the server has met the first one.
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  expect(await server.stop('SIGTERM')).toBe(0)
  trickle.destroy()
})

test('a wrong environment: every mistake in one message, in plain words, and no server', async () => {
  const { code, output } = await failToStart({
    PORT: 'http',
    RATE_LIMITS: ' maybe ',
    HOST: '  ',
    ALLOWED_ORIGINS: 'chat.example.org',
    TRUSTED_PROXIES: '10.0.0.0/8, proxy.local',
  })
  expect(code).toBe(1)
  expect(output).toContain('PORT=http: a port: 0-65535')
  expect(output).toContain('RATE_LIMITS=maybe')
  expect(output).toContain('ALLOWED_ORIGINS=chat.example.org: an origin')
  expect(output).toContain('TRUSTED_PROXIES=10.0.0.0/8, proxy.local: an address')
  expect(output).not.toContain('    at ')
})

test('a port or a data directory in use: a sentence that says what to do', async () => {
  await using directory = await temporaryDirectory()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const port = String((taken.address() as AddressInfo).port)
  const busyPort = await failToStart({ PORT: port, DATA_DIR: directory.path })
  taken.close()
  expect(busyPort).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^Port \d+ of 127.0.0.1 is in use; .*PORT.*\n$/),
  })

  await using _server = await startProcess({ DATA_DIR: directory.path })
  const busyDirectory = await failToStart({ DATA_DIR: directory.path })
  expect(busyDirectory).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^The data directory .* is in use .*\n$/),
  })
})

test('a data directory that cannot be one: a sentence that says why', async () => {
  await using directory = await temporaryDirectory()
  const file = join(directory.path, 'file')
  await writeFile(file, '')
  for (const [path, reason] of [
    [file, 'a file is in its place; name a folder'],
    [join(file, 'data'), 'a file is in its place; name a folder'],
    ['/proc/nope', 'the system says ENOENT'],
  ] as const) {
    expect(await failToStart({ DATA_DIR: path })).toEqual({
      code: 1,
      output: `DATA_DIR=${path} cannot be used: ${reason}.\n`,
    })
  }
})

test('a file of the data directory that is no database: a sentence that names it', async () => {
  for (const name of ['parley.db', 'parley.lock']) {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, name)
    await writeFile(file, 'what somebody else put there, long enough for a header'.repeat(20))
    expect(await failToStart({ DATA_DIR: directory.path })).toEqual({
      code: 1,
      output: `${file} is not a database of Parley; move it away, or name another DATA_DIR.\n`,
    })
  }
})

test('SIGTERM when nobody reads the output any more: the same orderly end', async () => {
  await using directory = await temporaryDirectory()
  await using server = await startProcess({ DATA_DIR: directory.path, LOG_LEVEL: 'info' })
  const client = createClient({ url: server.url })
  await client.register({ username: 'ada', password })
  server.closeOutput()
  const told = new Promise((resolve) => {
    client.onState((state) => state.status === 'offline' && resolve(state))
  })
  expect(await server.stop('SIGTERM')).toBe(0)
  await told
  client.close()
})
