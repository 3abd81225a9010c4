import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { type ErrorKind, errorKinds, errorWords } from '../../server/contract/index.ts'
import { statusOf } from '../../server/http/explain.ts'
import { closeCodes } from '../../server/socket/close-codes.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { programs, readDocument } from '../harness/documents.ts'
import { startNetwork } from '../harness/network.ts'
import { createInbox } from '../harness/plain-client.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { password, startWorld } from '../harness/world.ts'

const page = await readDocument('docs/protocol.md')

const pythonIsInstalled = spawnSync('python3', ['--version']).status === 0
if (!pythonIsInstalled && process.env.REQUIRE_SERVICES === '1')
  throw new Error('python3 is not installed, and REQUIRE_SERVICES=1 asks for it')

/** Bob, whose client is the program of the page, in a folder of its own. */
const openPythonClient = async (url: string) => {
  const home = await temporaryDirectory()
  const [program = ''] = programs(page, 'python')
  await writeFile(join(home.path, 'parley_client.py'), program)
  const start = (...args: string[]) => {
    const child = spawn('python3', ['parley_client.py', 'bob', ...args], {
      cwd: home.path,
      env: { PATH: process.env.PATH, PARLEY_URL: url, PARLEY_PASSWORD: password },
    })
    const lines = createInbox<string>()
    createInterface({ input: child.stdout }).on('line', lines.add)
    child.stderr.on('data', (text) => lines.fail(new Error(String(text))))
    const closed = once(child, 'close')
    return {
      /** All that it printed, once there are so many lines. */
      async printed(count: number) {
        await lines.until(() => lines.items.length >= count)
        return lines.items
      },
      /** Resolves when a next run would go on behind this message. */
      kept: (seq: number) =>
        expect
          .poll(() => readFile(join(home.path, 'bob.parley.json'), 'utf8').then(JSON.parse, () => null))
          .toMatchObject({
            last: { 'dm:ada:bob': [seq, expect.any(String)] },
          }),
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL')
        await closed
      },
    }
  }
  return { start, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() }
}

test.skipIf(!pythonIsInstalled)(
  'the client in Python opens an account, sends, and goes on after a cut and in its next run (skipped where python3 is not installed)',
  async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using network = await startNetwork(world.url)
    await using bob = await openPythonClient(network.url)
    {
      await using client = bob.start('ada', 'Hello from Python')
      expect(await ada.received(1)).toEqual(['Hello from Python'])
      await ada.send('bob', 'one')
      expect(await client.printed(2)).toEqual(['bob: Hello from Python', 'ada: one'])

      network.cut()
      await ada.send('bob', 'two', 'three')
      network.restore()
      await client.printed(4)
      await ada.send('bob', 'four')
      expect((await client.printed(5)).slice(2)).toEqual(['ada: two', 'ada: three', 'ada: four'])
      await client.kept(5)
    }
    await ada.send('bob', 'five')
    await using client = bob.start()
    await client.printed(1)
    await ada.send('bob', 'six')
    expect(await client.printed(2)).toEqual(['ada: five', 'ada: six'])
  },
)

test.skipIf(!pythonIsInstalled)(
  'the client in Python reads from the history what is too much to replay (skipped where python3 is not installed)',
  async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using bob = await openPythonClient(world.url)
    {
      await using client = bob.start('ada', 'Hello from Python')
      await client.kept(1)
    }
    const send = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => ada.client.sendMessage({ to: 'bob', text: `${i}` })))
    const sent = [...(await send(600)), ...(await send(600))]
    const inOrder = sent.sort((a, b) => a.seq - b.seq).map(({ text }) => text)
    await using client = bob.start()
    await client.printed(inOrder.length)
    await ada.send('bob', 'the last one')
    expect(await client.printed(inOrder.length + 1)).toEqual([...inOrder, 'the last one'].map((text) => `ada: ${text}`))
  },
)

test('the client in Python has 60 lines at most, blank ones left out', () => {
  const [program = ''] = programs(page, 'python')
  expect(program.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(60)
})

/** As the page writes a frame: `...` in an object stands for more fields, and for more of a value. */
const readShape = (line: string): unknown => JSON.parse(line.replaceAll('...', '"...":0'))

/** What differs from run to run: cursors, times, versions. */
const isMoving = (value: unknown) =>
  typeof value === 'number'
    ? value > 1e12
    : typeof value === 'string' && /^(?:[uv]\d+(?:\.\d+)?|\d{4}-.*Z)$/.test(value)

const fits = (shape: unknown, value: unknown): boolean => {
  if (typeof shape !== 'object' || shape === null || typeof value !== 'object' || value === null) {
    return shape === value || (isMoving(shape) && isMoving(value) && typeof shape === typeof value)
  }
  if (Array.isArray(shape) !== Array.isArray(value)) return false
  const { '...': more, ...told } = shape as Record<string, unknown>
  const given = value as Record<string, unknown>
  const isWhole = more !== undefined || Object.keys(told).length === Object.keys(given).length
  return isWhole && Object.entries(told).every(([key, below]) => fits(below, given[key]))
}

test('the frames on the page are what the server takes and says', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  ada.client.close()
  bob.client.close()
  const lines = programs(page, 'text').flatMap((text) => text.split('\n').filter((line) => /^[<>] /.test(line)))
  expect(lines.length).toBeGreaterThan(15)

  await using client = await startRawClient(world.url, ada.token)
  const answers = createInbox<{ id: number }>()
  client.socket.on('message', (data) => answers.add(JSON.parse(String(data))))
  const taken = new Map<number, number>()
  for (const line of lines) {
    const frame = line.slice(2)
    // The harness has said this one already.
    if (frame.includes('connectionParams')) continue
    if (line.startsWith('>')) client.socket.send(frame)
    else {
      // Answers to one request come in order, those to several in any.
      const shape = readShape(frame) as { id: number }
      const count = (taken.get(shape.id) ?? 0) + 1
      taken.set(shape.id, count)
      const found = await answers.some(count, (answer): answer is { id: number } => answer.id === shape.id)
      const answer = found[count - 1]
      expect(fits(shape, answer), `${frame}\nis ${JSON.stringify(answer)}`).toBe(true)
    }
  }
  expect(answers.items.length).toBe(lines.filter((line) => line.startsWith('<')).length)
})

test('the page has every error of the server and every close code', () => {
  const ofSdk = ['connectionLost', 'timedOut', 'outboxFull', 'notStored', 'cancelled', 'closed']
  for (const kind of Object.keys(errorKinds) as ErrorKind[]) {
    const line = `| \`${kind}\` | ${statusOf(kind)} | ${errorKinds[kind] ? 'yes' : 'no'} | ${errorWords[kind]} |`
    expect(page).toContain(ofSdk.includes(kind) ? `\`${kind}\`` : line)
  }
  for (const code of Object.values(closeCodes)) expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'))
})
