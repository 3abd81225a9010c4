import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createOutput } from '../../client-sdk/src/command/output.ts'
import { openShell } from '../harness/command.ts'
import { password, startWorld } from '../harness/world.ts'

// The command `parley`, as a shell script uses it: the built one, in a process of its own, against the real app.

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
const textsOf = (messages: { text: string }[]) => messages.map(({ text }) => text)

describe.concurrent('a script', () => {
  test('registers, talks, reads, and logs out, with JSON all the way', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [bob] = await world.people('bob')
    const given = { stdin: `${password}\n` }
    expect(await shell.json(['register', 'ada', '--display-name', 'Ada L.'], given)).toMatchObject([
      { user: { userId: 'ada', displayName: 'Ada L.' } },
    ])
    expect(await shell.json(['me'])).toMatchObject([{ userId: 'ada' }])
    expect(await shell.json(['send', 'bob', 'one'])).toMatchObject([{ text: 'one', seq: 1, sender: 'ada' }])
    const [two] = await shell.json(['send', 'bob', '-', '--client-message-id', 'x'], { stdin: 'two\nlines\n' })
    expect(two).toMatchObject({ text: 'two\nlines', clientMessageId: 'x' })
    // The answer to a repeat is the first message, also after a restart of the script.
    expect(await shell.json(['send', '--client-message-id', 'x', '--', 'bob', 'two\nlines'])).toMatchObject([
      { id: two.id },
    ])
    expect(await bob.received(2)).toEqual(['one', 'two\nlines'])
    const [three] = await bob.send('ada', 'three')

    expect(textsOf(await shell.json(['history', 'bob']))).toEqual(['one', 'two\nlines', 'three'])
    expect(textsOf(await shell.json(['history', 'bob', '--limit', '1', '--before', '3']))).toEqual(['two\nlines'])
    expect(textsOf(await shell.json(['history', 'bob', '--after', '0', '--limit', '1']))).toEqual(['one'])
    expect(await shell.json(['conversations'])).toMatchObject([{ id: 'dm:ada:bob', unread: 1 }])
    expect(await shell.json(['mark-read', three?.id ?? ''])).toMatchObject([{ userId: 'ada', readSeq: 3 }])
    expect(await shell.json(['conversations', '--limit', '1'])).toMatchObject([{ unread: 0 }])
    expect(await shell.json(['online'])).toEqual(
      expect.arrayContaining([expect.objectContaining({ userId: 'bob', since: expect.any(String) })]),
    )

    expect(await shell.json(['logout'])).toEqual([{ signedOut: true }])
    expect(await readdir(shell.sessions)).toEqual([])
    expect((await shell.run(['me'])).code).toBe(3)
  })

  test('edits, deletes, and looks at what a message said before', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada, bob] = await world.people('ada', 'bob')
    const asAda = { environment: { PARLEY_TOKEN: ada.token } }
    const [one] = await ada.send('bob', 'one')
    const id = one?.id ?? ''
    bob.client.close()
    const listening = shell.start(['listen'], { environment: { PARLEY_TOKEN: bob.token } })
    await listening.json(2)
    expect(await shell.json(['edit', id, 'One'], asAda)).toMatchObject([{ id, text: 'One', revision: 2 }])
    expect(await shell.json(['edit', id, '-', '--revision', '2'], { ...asAda, stdin: 'Uno\n' })).toMatchObject([
      { text: 'Uno', revision: 3 },
    ])
    const { code, stderr } = await shell.run(['edit', id, 'Eins', '--revision', '1', '--json-errors'], asAda)
    expect([code, JSON.parse(stderr).kind]).toEqual([4, 'conflict'])
    expect(await shell.json(['versions', id], asAda)).toMatchObject([
      { revision: 1, text: 'one' },
      { revision: 2, text: 'One' },
      { revision: 3, text: 'Uno' },
    ])
    expect(await shell.json(['profile', '--display-name', 'Ada L.'], asAda)).toMatchObject([{ displayName: 'Ada L.' }])
    expect(await shell.json(['profile'], asAda)).toMatchObject([{ userId: 'ada', displayName: 'Ada L.' }])
    expect(await shell.json(['delete', id], asAda)).toMatchObject([{ id, text: '', deletedAt: expect.any(String) }])
    expect(await shell.json(['versions', id], asAda)).toEqual([])
    expect(await shell.json(['conversations'], asAda)).toMatchObject([
      { members: [{ userId: 'ada', displayName: 'Ada L.' }, { userId: 'bob' }], lastMessage: { text: '' } },
    ])
    expect((await shell.run(['edit', 'no-id', 'x'], asAda)).code).toBe(2)

    let events = await listening.json(1)
    while (!events.at(-1).message?.deletedAt) events = await listening.json(events.length + 1)
    expect(events.filter(({ type }) => type === 'messageChanged').map(({ message }) => message.text)).toEqual([
      'One',
      'Uno',
      '',
    ])
    expect(events.filter(({ type }) => type === 'user')).toMatchObject([{ user: { displayName: 'Ada L.' } }])
    listening.stop('SIGTERM')
    expect(await listening.end()).toMatchObject({ code: 0, stderr: '' })
  })

  test('keeps its session for the eyes of its user alone, and tells no secret', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    await world.people('ada')
    await mkdir(shell.sessions, { recursive: true })
    await chmod(shell.sessions, 0o755)
    const { code, stdout, stderr } = await shell.run(['login', 'ada'], { environment: { PARLEY_PASSWORD: password } })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })

    expect(await modeOf(shell.sessions)).toBe('700')
    const files = await readdir(shell.sessions)
    expect(files).toEqual([`${encodeURIComponent(world.url)}.json`])
    const file = join(shell.sessions, files[0] as string)
    expect(await modeOf(file)).toBe('600')
    const { token } = JSON.parse(await readFile(file, 'utf8'))
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(stdout).not.toContain(token)
    expect(stdout).not.toContain(password)

    // However the address is written, it is the same server.
    expect((await shell.run(['me', '--url', `${world.url}/`])).code).toBe(0)
    expect((await shell.run(['--url', 'http://127.0.0.1:9', 'me'])).code).toBe(3)
  })

  test('may bring a token of its own, which goes before the saved session and is never written', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada, bob] = await world.people('ada', 'bob')
    const asBob = { environment: { PARLEY_TOKEN: bob.token } }
    expect(await shell.json(['me'], asBob)).toMatchObject([{ userId: 'bob' }])
    await expect(stat(shell.sessions)).rejects.toThrow('ENOENT')
    await shell.json(['login', 'ada'], { stdin: password })
    expect(await shell.json(['logout'], asBob)).toEqual([{ signedOut: true }])
    expect((await shell.run(['me'], asBob)).code).toBe(3)
    // Hers is another session.
    expect(await shell.json(['me'])).toMatchObject([{ userId: 'ada' }])
    await ada.client.me()
  })
})

describe.concurrent('exit codes', () => {
  test('2: called wrongly, and a password among the arguments is not repeated', async () => {
    await using shell = await openShell('http://127.0.0.1:9')
    const wrong = [
      [],
      ['shout'],
      ['toString'],
      ['send', 'bob'],
      ['send', 'bob', 'not', 'quoted'],
      ['history', 'bob', '--limit', 'many'],
      ['history', 'bob', '--limit', '0'],
      ['history', 'bob', '--limit', '101'],
      ['conversations', '--limit', 'many'],
      ['listen', '--count', '0'],
      ['me', '--url', 'nowhere'],
      ['me', '--timeout', 'soon'],
      ['me', '--loud'],
      ['login', 'ada', 'tide-lamp-orchard'],
      ['login', 'ada', '--password=tide-lamp-orchard'],
      ['login', 'ada', '--password', 'tide-lamp-orchard'],
      // Nothing on stdin.
      ['login', 'ada'],
    ]
    const ends = await Promise.all(wrong.map((args) => shell.run(args)))
    for (const { code, stdout, stderr } of ends) {
      expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^parley: .+\n$/)
      expect(stderr).not.toContain('tide')
    }
  })

  test('2: something else answers there', async () => {
    await using shell = await openShell('http://127.0.0.1:9')
    const other = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    for (const url of [`http://127.0.0.1:${port}`, `https://127.0.0.1:${port}`]) {
      const { code, stderr } = await shell.run(['me', '--url', url], { environment: { PARLEY_TOKEN: 'x' } })
      expect({ code, stderr }).toEqual({ code: 2, stderr: `parley: There is no Parley server at ${url}\n` })
    }
    other.close()
  })

  test('3: not signed in, a wrong password, a session that has ended', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada] = await world.people('ada')
    const plain = await shell.run(['me'])
    expect(plain).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/parley login USERNAME, or parley register USERNAME/),
    })
    const wrong = await shell.run(['login', 'ada', '--json-errors'], { stdin: 'not hers' })
    expect(wrong.code).toBe(3)
    expect(JSON.parse(wrong.stderr)).toMatchObject({ kind: 'badCredentials', retryable: false })
    await ada.client.logout()
    const ended = await shell.run(['me'], { environment: { PARLEY_TOKEN: ada.token } })
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringMatching(/^parley: .*ended.*\n$/) })
  })

  test('4: refused by the server', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada] = await world.people('ada', 'bob')
    const asAda = { environment: { PARLEY_TOKEN: ada.token } }
    await ada.client.sendMessage({ to: 'bob', text: 'one', clientMessageId: 'x' })
    const kindOf = async (...args: string[]) => {
      const { code, stderr } = await shell.run([...args, '--json-errors'], asAda)
      return [code, JSON.parse(stderr).kind]
    }
    expect(await kindOf('send', 'nobody', 'Hello')).toEqual([4, 'unknownUser'])
    expect(await kindOf('send', 'bob', 'two', '--client-message-id', 'x')).toEqual([4, 'conflict'])
    expect(await kindOf('mark-read', 'dm:bob:eve:1')).toEqual([4, 'unknownMessage'])
    expect(await kindOf('history', 'no one at all')).toEqual([4, 'invalidInput'])
    const tooLong = await shell.run(['send', 'bob', '-'], { ...asAda, stdin: 'x'.repeat(100_000) })
    expect(tooLong).toMatchObject({ code: 4, stderr: expect.stringContaining('too long') })
  })

  test('5: later, and for limits when', async () => {
    await using world = await startWorld({ config: { rateLimits: true } })
    await using shell = await openShell(world.url)
    const unreachable = await shell.run(['me', '--url', 'http://127.0.0.1:9', '--timeout', '0.3'], {
      environment: { PARLEY_TOKEN: 'x' },
    })
    expect(unreachable.code).toBe(5)
    expect(unreachable.stderr).toMatch(
      /^parley: no connection, trying again: .*ECONNREFUSED.*\nparley: No answer came from .*\n$/,
    )
    const client = (await world.people('ada'))[0].client
    await client.logout()
    for (let attempt = 0; attempt < 5; attempt++) {
      await client.login({ username: 'ada', password: 'not hers' }).catch(() => {})
    }
    const limited = await shell.run(['login', 'ada', '--json-errors'], { stdin: password })
    expect(limited.code).toBe(5)
    const error = JSON.parse(limited.stderr)
    expect(error).toMatchObject({ kind: 'rateLimited', retryable: true })
    expect(error.retryAfterMs).toBeGreaterThan(0)
  })
})

describe.concurrent('parley listen', () => {
  test('[P2] [P5] prints every message once and in order, through a cut and over a restart', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    bob.client.close()
    await using shell = await openShell(bob.network.url)
    const call = { environment: { PARLEY_TOKEN: bob.token } }
    const args = ['listen', '--messages', '--cursor', shell.file('place')]

    await ada.send('bob', 'one', 'two')
    const first = shell.start(args, call)
    await first.json(2)
    bob.network.cut()
    await ada.send('bob', 'three')
    bob.network.restore()
    expect(textsOf(await first.json(3))).toEqual(['one', 'two', 'three'])
    first.stop('SIGTERM')
    const ended = await first.end()
    expect(ended.code).toBe(0)
    expect(ended.stdout.split('\n').length).toBe(3)
    expect(ended.stderr).toMatch(/^parley: no connection, trying again: .+\nparley: connected again\n$/)

    await ada.send('bob', 'four', 'five')
    const second = shell.start(args, call)
    await second.json(2)
    await ada.send('bob', 'six')
    expect(textsOf(await second.json(3))).toEqual(['four', 'five', 'six'])
    second.stop('SIGINT')
    expect(await second.end()).toMatchObject({ code: 0, stderr: '' })
    expect((await readdir(shell.file('.'))).filter((name) => name.startsWith('place'))).toEqual(['place'])
  })

  test('gives all events, each with its cursor, and ends after --count of them', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada] = await world.people('ada', 'bob')
    const listening = shell.start(['listen', '--count', '4'], { environment: { PARLEY_TOKEN: ada.token } })
    await listening.json(2)
    await ada.send('bob', 'one')
    const events = await listening.json(4)
    expect(events).toMatchObject([
      { type: 'ready', replay: 'complete' },
      { type: 'caughtUp' },
      { type: 'message', message: { text: 'one' } },
      { type: 'receipt', receipt: { conversationId: 'dm:ada:bob', deliveredSeq: 1 } },
    ])
    expect(events.every(({ cursor }) => typeof cursor === 'string')).toBe(true)
    expect(await listening.end()).toMatchObject({ code: 0, stderr: '' })
  })

  test('[P6] ends when nobody reads its output any more; what could not be printed is not delivered', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada, bob] = await world.people('ada', 'bob')
    bob.client.close()
    const call = { environment: { PARLEY_TOKEN: bob.token } }
    await ada.send('bob', 'one')
    const listening = shell.start(['listen', '--messages'], call)
    await listening.json(1)
    listening.stopReading()
    await ada.send('bob', 'two')
    expect(await listening.end()).toMatchObject({ code: 0, stderr: '' })
    expect(textsOf(await shell.json(['listen', '--messages', '--count', '1'], call))).toEqual(['two'])
  })

  test('says that the session has ended, and exits with 3', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada] = await world.people('ada')
    const listening = shell.start(['listen'], { environment: { PARLEY_TOKEN: ada.token } })
    await listening.json(1)
    await ada.client.logout()
    expect(await listening.end()).toMatchObject({ code: 3, stderr: expect.stringMatching(/session has ended.*\n$/i) })
  })

  test('refuses a cursor file that it could not write, before it prints anything', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada] = await world.people('ada')
    const place = join(shell.file('missing'), 'place')
    const { code, stdout } = await shell.run(['listen', '--cursor', place], {
      environment: { PARLEY_TOKEN: ada.token },
    })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})

/** All that was written, which may be read piece by piece. */
const written = (stream: PassThrough): string => {
  const pieces: unknown[] = []
  for (let piece = stream.read(); piece !== null; piece = stream.read()) pieces.push(piece)
  return pieces.join('')
}

describe('what would steer a terminal is printed as \\u and four digits', () => {
  test.each([
    ['C0', 0x00, 0x1f],
    ['DEL and C1', 0x7f, 0x9f],
    ['the Arabic letter mark', 0x61c, 0x61c],
    ['marks of direction', 0x200e, 0x200f],
    ['separators of lines and paragraphs', 0x2028, 0x2029],
    ['embeddings and overrides', 0x202a, 0x202e],
    ['isolates', 0x2066, 0x2069],
  ])('%s', async (_, first, last) => {
    for (let code = first; code <= last; code++) {
      const text = `a${String.fromCharCode(code)}ü 🦜 \\`
      const plain = `a\\u${code.toString(16).padStart(4, '0')}ü 🦜 \\`
      const [stdout, stderr] = [new PassThrough(), new PassThrough()]
      const output = createOutput(stdout, stderr)
      await output.print({ [text]: text })
      output.notice(text)
      output.error(new Error(text))
      expect(written(stderr)).toBe(`parley: ${plain}\nparley: ${plain}\n`)
      output.writeErrorsAsJson()
      output.notice(text)
      for (const [line, value] of [
        [written(stdout), { [text]: text }],
        [written(stderr), { notice: text }],
      ] as const) {
        expect(line).toMatch(/^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]+\n$/u)
        expect(JSON.parse(line)).toEqual(value)
      }
    }
  })

  test('in a message that somebody sent, and in what was typed', async () => {
    await using world = await startWorld()
    await using shell = await openShell(world.url)
    const [ada] = await world.people('ada', 'bob')
    const call = { environment: { PARLEY_TOKEN: ada.token } }
    const text = 'a\u001b[2J\u009b31m\u202eb'
    await ada.send('bob', text)
    const { stdout } = await shell.run(['history', 'bob'], call)
    expect(stdout).toContain(String.raw`"a\u001b[2J\u009b31m\u202eb"`)
    expect(textsOf([JSON.parse(stdout)])).toEqual([text])
    const { stderr } = await shell.run(['me', '--\u202eloud'], call)
    expect(stderr).toContain(String.raw`'--\u202eloud'`)
  })
})

test('the help of each command has examples and the exit codes', async () => {
  await using shell = await openShell('http://127.0.0.1:9')
  const { code, stdout } = await shell.run(['--help'])
  expect(code).toBe(0)
  const names = [...stdout.matchAll(/^ {2}([a-z-]+)(?: [A-Z_ ]+)? {2,}[a-z]/gm)].map(([, name]) => name as string)
  expect(names).toEqual(
    expect.arrayContaining([
      'register',
      'login',
      'profile',
      'send',
      'edit',
      'delete',
      'versions',
      'mark-read',
      'listen',
    ]),
  )
  const helps = await Promise.all(['listen', 'login', 'send', 'history'].map((name) => shell.run([name, '--help'])))
  for (const help of helps) {
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toMatch(/Examples:\n {2}parley /)
    expect(help.stdout).toMatch(/ 5 {2}try again later/)
  }
  expect(helps[1]?.stdout).toContain('It is never an argument')
  expect((await shell.run(['help', 'send'])).stdout).toBe(helps[2]?.stdout)
})
