import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// What somebody gets who installs `@parley/client`: packed, and put into a project of its own with nothing else at hand.

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

let folder: string
let project: string
let installed: string
let tarball: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-package-'))
  project = join(folder, 'project')
  installed = join(project, 'node_modules/@parley/client')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  const packed = await npm(
    'pack',
    '--json',
    '--ignore-scripts',
    join(root, 'client-sdk'),
    join(root, 'node_modules/ws'),
  )
  const files = tarballNames(JSON.parse(packed))
  tarball = join(project, files.find((file) => file.startsWith('parley-client-')) as string)
  await npm('install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...files.map((file) => `./${file}`))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Without the settings of the npm that runs these tests, and with a cache that holds nothing. */
const npm = async (...args: string[]): Promise<string> => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  return (await run('npm', [...args, '--cache', join(folder, 'npm-cache')], { cwd: project, env })).stdout
}
/** npm 11 lists what it packed; npm 12 gives it by name. */
const tarballNames = (packed: { filename: string }[] | Record<string, { filename: string }>): string[] =>
  Object.values(packed).map(({ filename }) => filename)

const node = (...args: string[]) => run(process.execPath, args, { cwd: project })

/** A program of the repository's, on something outside. @returns all it printed, whether it succeeded or not. */
const tool = async (path: string, ...args: string[]): Promise<string> => {
  try {
    return (await run(process.execPath, [join(root, 'node_modules', path), ...args], { cwd: project })).stdout
  } catch (error) {
    return `failed: ${(error as { stdout: string }).stdout}${(error as { stderr: string }).stderr}`
  }
}

const strict = { target: 'es2022', strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: [] as string[] }
const forNode = { ...strict, module: 'nodenext', lib: ['es2022'], types: ['node'] }
const forBrowsers = { ...strict, module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'] }
/** Checks every declaration, ours among them, but for the standard library's own. */
const checkingDeclarations = { skipLibCheck: false, skipDefaultLibCheck: true }

/** Type-checks the files in a folder beside the project. @returns what the compiler had to say. */
const compile = async (name: string, compilerOptions: object, files: Record<string, string>): Promise<string> => {
  const own = join(folder, name)
  await mkdir(join(own, 'node_modules/@parley'), { recursive: true })
  await symlink(installed, join(own, 'node_modules/@parley/client'))
  for (const dependency of ['@types', '@trpc', 'superjson', 'react', 'csstype']) {
    await symlink(join(root, 'node_modules', dependency), join(own, 'node_modules', dependency))
  }
  await writeFile(join(own, 'package.json'), '{ "private": true, "type": "module" }')
  await writeFile(join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }))
  for (const [file, text] of Object.entries(files)) await writeFile(join(own, file), text)
  return tool('typescript/bin/tsc', '--project', own, '--pretty', 'false')
}

describe.concurrent('the package @parley/client', () => {
  test('brings the client and ws, and nothing of the server', async () => {
    const modules = await readdir(join(project, 'node_modules'))
    expect(modules.filter((name) => !name.startsWith('.')).sort()).toEqual(['@parley', 'ws'])
    expect((await readdir(installed, { recursive: true })).sort()).toEqual([
      'LICENSE',
      'README.md',
      'bin',
      'bin/parley.js',
      'dist',
      'dist/THIRD-PARTY-LICENSES.txt',
      'dist/client.js',
      'dist/file-storage.d.ts',
      'dist/file-storage.js',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/node.js',
      'dist/parley.js',
      'dist/react.d.ts',
      'dist/react.js',
      'dist/types.d.ts',
      'package.json',
    ])
  })

  test('takes less than 1 MB installed, ws included', async () => {
    const files = await readdir(join(project, 'node_modules'), { recursive: true, withFileTypes: true })
    const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)))
    expect((await Promise.all(sizes)).reduce((bytes, { size }) => bytes + size, 0)).toBeLessThan(1_000_000)
  })

  // As a bundler makes it: minified, gzipped, and with nothing of Node. In kB (of 1,000 bytes).
  test.for([
    ['the client', 13.2, "import { createClient } from '@parley/client'; globalThis.page = createClient"],
    [
      'client and chat',
      21.6,
      "import { createChat, createClient } from '@parley/client'; globalThis.page = [createChat, createClient]",
    ],
    [
      'client, chat and all hooks for React',
      22.8,
      "import * as hooks from '@parley/client/react'; globalThis.page = hooks",
    ],
  ] as const)('of a page, %s takes less than %f kB', async ([name, most, program]) => {
    const page = join(project, `${name}.js`)
    await writeFile(page, program)
    const built = await build({
      root: project,
      configFile: false,
      logLevel: 'silent',
      build: { write: false, target: 'es2022', rolldownOptions: { input: page, external: 'react' } },
    })
    const outputs = [built].flat() as { output: { code?: string }[] }[]
    const code = outputs.flatMap(({ output }) => output.map((chunk) => chunk.code ?? '')).join('')
    expect(code).toContain('connectionParams')
    expect(code).not.toMatch(/node:|\brequire\(|superjson/)
    expect(gzipSync(code).length / 1_000).toBeLessThan(most)
  })

  test('imports ws in Node, and nothing else anywhere', async () => {
    const imports = async (file: string) => {
      const text = await readFile(join(installed, 'dist', file), 'utf8')
      return [...text.matchAll(/^(?:import|export)\b.*\bfrom\s+['"](.+)['"]|\bimport\(['"](.+)['"]\)/gm)].map(
        ([, from, called]) => from ?? called,
      )
    }
    expect(new Set(await imports('node.js'))).toEqual(new Set(['ws', './client.js']))
    expect(new Set(await imports('index.js'))).toEqual(new Set(['./client.js']))
    expect(await imports('client.js')).toEqual([])
    const ofCommand = (await imports('parley.js')).filter((name) => !name?.startsWith('node:'))
    expect(new Set(ofCommand)).toEqual(new Set(['./client.js', './node.js']))
    expect(new Set(await imports('react.js'))).toEqual(new Set(['react', '@parley/client', './client.js']))
    for (const name of await imports('file-storage.js')) expect(name).toMatch(/^(node:.*|\.\/client\.js)$/)
    for (const types of ['index.d.ts', 'react.d.ts', 'file-storage.d.ts', 'types.d.ts']) {
      const foreign = (await imports(types)).filter((name) => !/^\.\/(types|index)\.js$/.test(name ?? ''))
      expect(foreign).toEqual(types === 'react.d.ts' ? ['react'] : [])
    }
  })

  test('names nothing of how or where it was built', async () => {
    const text = await readFile(join(installed, 'dist/types.d.ts'), 'utf8')
    expect(text).not.toMatch(/from 'zod'|z\.infer|node_modules|\bContext\b|tokenHash/)
    expect(text).not.toContain(root)
    for (const file of ['client.js', 'parley.js']) {
      expect(await readFile(join(installed, 'dist', file), 'utf8')).not.toContain(root)
    }
  })

  test('gives createClient and ChatError to import and to require', async () => {
    const print = 'console.log(typeof createClient, new ChatError("closed").kind)'
    const names = '{ createClient, ChatError }'
    const imported = await node('--input-type=module', '--eval', `import ${names} from '@parley/client'; ${print}`)
    expect(imported).toEqual({ stdout: 'function closed\n', stderr: '' })
    const required = await node(
      '--input-type=commonjs',
      '--eval',
      `const ${names} = require('@parley/client'); ${print}`,
    )
    expect(required).toEqual({ stdout: 'function closed\n', stderr: '' })
  })

  test('brings the command parley, which works where it was installed', async () => {
    const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    const { stdout } = await run(join(project, 'node_modules/.bin/parley'), ['--version'], { cwd: folder })
    expect(stdout).toBe(`${version}\n`)
  })

  test('gives browsers, Deno and Bun the client that needs no ws', async () => {
    for (const condition of ['browser', 'deno', 'bun']) {
      const resolve = 'console.log(import.meta.resolve("@parley/client"))'
      const { stdout } = await node(`--conditions=${condition}`, '--input-type=module', '--eval', resolve)
      expect(stdout).toMatch(/dist\/index\.js\n$/)
    }
  })

  test('says where components are rendered by servers that the hooks are for the browser', async () => {
    expect(await readFile(join(installed, 'dist/react.js'), 'utf8')).toMatch(/^'use client';?\n/)
    expect(await readFile(join(installed, 'dist/client.js'), 'utf8')).not.toContain('use client')
  })

  test('passes publint', async () => {
    expect(await tool('publint/src/cli.js', 'run', tarball, '--strict')).toMatch(/All good!/)
  })

  test('passes attw', async () => {
    // The rule holds that Node cannot require an ES module; from 20.19 on, our floor, it can, as the test above shows.
    // Of resolution as of Node 10 we ask nothing.
    const rules = ['--ignore-rules', 'cjs-resolves-to-esm', '--profile', 'node16']
    const said = await tool('@arethetypeswrong/cli/dist/index.js', tarball, ...rules)
    expect(said).not.toMatch(/^failed/)
    expect(said).toContain('@parley/client/react')
  })
})

describe.concurrent('types of @parley/client', () => {
  const sample = `
import { type ChatClient, ChatError, createClient, type ErrorKind, type Message, type Outputs, type Transport } from '@parley/client'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <Fact extends true>(fact?: Fact) => fact

export const talk = async (url: string, done: AbortSignal) => {
  await using client: ChatClient = createClient({ url, token: async (why) => (why === 'ended' ? null : 'a token') })
  const { user, session } = await client.login({ username: 'ada', password: 'tide lamp orchard' })
  holds<Same<typeof user.createdAt, Date>>()
  holds<Same<typeof session.token, string>>()

  const sent = await client.sendMessage({ to: 'ben', text: 'Hello' }, { signal: done, timeoutMs: 1_000 })
  holds<Same<typeof sent, Message>>()
  holds<Same<Outputs['sendMessage'], Message>>()
  const page = await client.history({ conversation: sent.conversationId, before: sent.seq })
  holds<Same<typeof page.messages, Message[]>>()
  holds<Same<typeof page.nextBefore, number | null>>()
  await client.conversations()
  await client.onlineUsers({ limit: 10 })

  for await (const message of client.messages({ signal: done })) holds<Same<typeof message, Message>>()
  for await (const event of client.events({ signal: done, cursor: 'a cursor' })) {
    holds<Same<typeof event.cursor, string>>()
    if (event.type === 'receipt') holds<Same<typeof event.receipt.readSeq, number>>()
    if (event.type === 'ready' && event.replay === 'reset') {
      const [missed] = event.conversations
      if (missed) holds<Same<typeof missed.afterSeq, number>>()
    }
  }
  for await (const event of client.statuses({ users: ['ben'] })) {
    for (const { status } of event.statuses) holds<Same<typeof status, 'online' | 'offline'>>()
  }

  const unset = undefined as string | undefined
  createClient({ url, token: unset, callTimeoutMs: undefined })
  client.messages({ signal: undefined, cursor: unset })
  client.statuses({ signal: undefined, users: undefined })
  await client.me(undefined, { signal: undefined, timeoutMs: undefined })

  const stop = client.onState((state) => {
    if (state.status === 'offline') holds<Same<typeof state.retryAt, Date>>()
    if (state.status === 'live') holds<Same<typeof state.transport, Transport>>()
  })
  stop()
  await client.logout().catch((error: unknown) => {
    if (error instanceof ChatError) holds<Same<typeof error.kind, ErrorKind>>()
  })
}
`

  test('fit a strict project on Node, ES modules and CommonJS', async () => {
    const files = { 'module.mts': sample, 'common.cts': sample }
    expect(await compile('node', { ...forNode, ...checkingDeclarations }, files)).toBe('')
  })

  test('fit a strict project for browsers, with a bundler and no types of Node', async () => {
    expect(await compile('browser', { ...forBrowsers, ...checkingDeclarations }, { 'page.ts': sample })).toBe('')
  })

  test('refuse what the server would refuse', async () => {
    // Each line ends with the error that it must have: its number, and what it is about.
    const wrong = `
import { ChatError, createClient } from '@parley/client'
const client = createClient({ url: 'http://127.0.0.1:3000' })
const sent = await client.sendMessage({ to: 'ben', text: 'Hello' })

client.sendMesage({ to: 'ben', text: 'Hello' }) // TS2551 sendMesage
client.onMessage({}) // TS2551 onMessage
client.sendMessage() // TS2554 arguments
client.sendMessage({ text: 'Hello' }) // TS2741 'to'
client.sendMessage({ to: 'ben' }) // TS2741 'text'
client.sendMessage({ to: 'ben', text: 42 }) // TS2322 'number'
client.sendMessage({ to: 'ben', text: 'Hello', colour: 'red' }) // TS2353 'colour'
client.sendMessage({ to: ['ben'], text: 'Hello' }) // TS2322 'string[]'
client.sendMessage({ to: 'ben', text: 'Hello' }, { timeout: 1_000 }) // TS2561 'timeout'
client.history({ conversation: 'ben', before: sent.id }) // TS2322 'string'
client.history({ conversation: 'ben', beforeTime: '2026-01-01' }) // TS2322 'Date'
client.markRead({ id: sent.id }) // TS2353 'id'
client.markDelivered({ conversationId: sent.conversationId, seq: 1 }) // TS2353 'conversationId'
client.register({ username: 'ada' }) // TS2741 'password'
client.me({}) // TS2345 'void'
client.statuses({ users: 'ben' }) // TS2322 'string[]'
client.messages({ cursor: 7 }) // TS2322 'number'
createClient({}) // TS2741 'url'
createClient({ url: 'http://127.0.0.1:3000', token: () => 42 }) // TS2322 'number'

sent.sentAt.toUpperCase() // TS2339 'Date'
sent.read = 'yes' // TS2322 'boolean'
for await (const event of client.events()) {
  event.message // TS2339 'message'
  if (event.type === 'mesage') break // TS2367 "mesage"
  if (event.type === 'receipt') event.receipt.readAt // TS2339 'readAt'
}
for await (const message of client.messages()) message.txt // TS2551 'txt'
for await (const event of client.statuses()) event.more // TS2339 'more'
if (client.state.status === 'online') client.close() // TS2367 "online"
if (client.state.status === 'live') client.state.retryAt // TS2339 'retryAt'
client.state = { status: 'live' } // TS2540 'state'
const error = new ChatError('closed')
if (error.kind === 'rateLimit') error.retryAfterMs // TS2367 "rateLimit"
new ChatError('oops') // TS2345 "oops"
`
    const said = await compile('wrong', { ...forNode, skipLibCheck: true }, { 'wrong.ts': wrong })
    const found = said
      .replace(/^failed: /, '')
      .split(/^(?=\S)/m)
      .map((error) => /\((\d+),\d+\): error (TS\d+): ([\s\S]*)$/.exec(error) ?? [error, 0, error, ''])
      .map(([, line, code, words]) => ({ line: Number(line), code, words: String(words) }))
    const expected = wrong.split('\n').flatMap((text, index) => {
      const [, code, about] = /\/\/ (TS\d+) (.+)$/.exec(text) ?? []
      return code && about ? [{ line: index + 1, code, words: expect.stringContaining(about) as string }] : []
    })
    expect(expected.length).toBeGreaterThan(30)
    expect(found).toEqual(expected)
  })

  test('fit the official tRPC client, and so do all examples of the README', async () => {
    const official = `
import { createTRPCClient, createWSClient, httpBatchLink, TRPCClientError, wsLink } from '@trpc/client'
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import type { ErrorKind, Inputs, Message, Outputs, ParleyRouter } from '@parley/client'
import superjson from 'superjson'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <Fact extends true>(fact?: Fact) => fact

const client = createWSClient({ url: 'ws://127.0.0.1:3000/trpc', connectionParams: () => ({ token: 'a token' }) })
const api = createTRPCClient<ParleyRouter>({ links: [wsLink({ client, transformer: superjson })] })

const sent = await api.sendMessage.mutate({ to: 'ben', text: 'Hello' })
holds<Same<typeof sent, Message>>()
const me = await api.me.query()
holds<Same<typeof me.createdAt, Date>>()
holds<Same<inferRouterInputs<ParleyRouter>, Inputs>>()
holds<Same<inferRouterOutputs<ParleyRouter>['history'], Outputs['history']>>()
api.onMessage.subscribe(undefined, {
  onData({ id, data }) {
    holds<Same<typeof id, string>>()
    if (data.type === 'message') holds<Same<typeof data.message, Message>>()
  },
  onError(error) {
    holds<Same<NonNullable<typeof error.data>['kind'], ErrorKind>>()
  },
})
export const asParleyError = (error: unknown) =>
  error instanceof TRPCClientError ? (error as TRPCClientError<ParleyRouter>).data?.retryAfterMs : undefined

// @ts-expect-error A query is not mutated.
api.me.mutate()
// @ts-expect-error It lacks the text.
api.sendMessage.mutate({ to: 'ben' })
// @ts-expect-error It lacks the transformer.
httpBatchLink<ParleyRouter>({ url: 'http://127.0.0.1:3000/trpc' })
`
    const readme = await readFile(join(installed, 'README.md'), 'utf8')
    const examples = [...readme.matchAll(/^```(tsx?)\n([\s\S]*?)^```$/gm)].map(([, language, text], index) => [
      `example-${index + 1}.${language}`,
      text as string,
    ])
    expect(examples.length).toBeGreaterThan(6)
    const options = { ...forNode, lib: ['es2022', 'dom', 'dom.asynciterable'], jsx: 'react-jsx', skipLibCheck: true }
    const files = { 'official.ts': official, ...Object.fromEntries(examples) }
    expect(await compile('official', options, files)).toBe('')
  })
})
