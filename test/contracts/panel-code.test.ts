import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import superjson, { type SuperJSONResult } from 'superjson'
import { beforeAll, expect, test } from 'vitest'
import { parseArguments, takeCommandName } from '../../client-sdk/src/command/arguments.ts'
import { commands } from '../../client-sdk/src/command/commands.ts'
import type { JsonSchema, PanelDocument, ProcedureDescription } from '../../server/panel/document.ts'
import { fillTemplate, snippetsOf, type WrittenCall } from '../../server/web/panel/snippets.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { isLongForm } from '../harness/long-forms.ts'
import { createRestClient } from '../harness/rest-client.ts'
import { startWorld } from '../harness/world.ts'

// What the panel offers to copy is pasted into a shell or a program, and its input may come from a link that a stranger made.

let panel: PanelDocument
beforeAll(async () => {
  await using world = await startWorld()
  panel = (await createRestClient(world.url).get<PanelDocument>('/panel/procedures.json')).body
})

const secrets = { TOKEN: 'the-token', PASSWORD: 'the-password' }

/** The words of each `npx` and `curl` that the code calls: in a real shell, in which nothing else can be run. */
const inShell = async (code: string): Promise<string[][]> => {
  await using folder = await temporaryDirectory()
  const stubs = `called() { printf '%s\\0' "$#" "$@"; }; npx() { called npx "$@"; }; curl() { called curl "$@"; }`
  const output = execFileSync('/bin/sh', ['-euc', `${stubs}\n${code}\n`], {
    cwd: folder.path,
    env: { ...secrets, PATH: '/nowhere' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  const words = output.split('\0')
  expect(words.pop()).toBe('')
  const calls: string[][] = []
  while (words.length > 0) calls.push(words.splice(0, Number(words.shift())))
  return calls
}

/** `TO` is `to`, and `client-message-id` is `clientMessageId`. */
const inputName = (word: string): string =>
  word.toLowerCase().replace(/[-_](.)/g, (_, letter: string) => letter.toUpperCase())

/** What the command `parley` would make of its arguments. */
const readParley = ([npx, parley, ...args]: string[]) => {
  expect([npx, parley]).toEqual(['npx', 'parley'])
  const { name = '', rest } = takeCommandName(args, commands)
  const command = commands[name]
  if (!command) throw new Error(`There is no command ${name}`)
  const { words, values } = parseArguments(rest, command)
  const { url, ...options } = values
  const input = [...command.words.map((word, i) => [word, words[i]] as const), ...Object.entries(options)]
  return { url, input: Object.fromEntries(input.map(([word, value]) => [inputName(word), value])) }
}

const readCurl = (words: string[], { document, origin }: WrittenCall) => {
  const data = words.find((_, i) => words[i - 1] === '-d' || words[i - 1] === '--data-urlencode')
  const url = words.find((word) => word.startsWith(`${origin}${document.endpoint}/`)) ?? ''
  const headers = words.filter((_, i) => words[i - 1] === '-H')
  const sent = data === undefined ? undefined : JSON.parse(data.replace(/^input=/, ''))
  return { path: url.slice(`${origin}${document.endpoint}/`.length), input: read(sent), headers }
}

const read = (sent: SuperJSONResult | undefined): unknown => (sent ? superjson.deserialize(sent) : undefined)

/** The last call that a program makes of a client, whose methods are known by nothing but their names. */
const inJavaScript = async (code: string) => {
  const program = code.split('\n')
  while (program[0]?.startsWith('import ')) program.shift()
  const calls: { path: string; input: unknown }[] = []
  const created: unknown[] = []
  const methods = (path: string[]): unknown =>
    new Proxy(() => {}, {
      get: (_, name) => (typeof name === 'string' && name !== 'then' ? methods([...path, name]) : undefined),
      apply: (_, __, [input]: unknown[]) => {
        if (path[0] !== 'close') calls.push({ path: path.join('.'), input })
        return []
      },
    })
  const stubs = {
    createClient: (options: unknown) => created.push(options) && methods([]),
    createTRPCClient: (options: unknown) => created.push(options) && methods([]),
    httpLink: (options: unknown) => options,
    wsLink: (options: unknown) => options,
    createWSClient: (options: unknown) => options,
    superjson: null,
    console: { log() {} },
    process: { env: secrets },
  }
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await new AsyncFunction(...Object.keys(stubs), program.join('\n'))(...Object.values(stubs))
  expect(calls.length).toBe(1)
  return { path: calls[0]?.path, input: calls[0]?.input, options: JSON.stringify(created) }
}

/** Pieces that end a quote, begin a command, or look like the panel's own templates; and anything else but U+0000. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          '$(echo run)',
          '`echo run`',
          "'",
          '"',
          '\\',
          '\n',
          '$TOKEN',
          `\${TOKEN}`,
          '; echo run; ',
          '|',
          '>',
          '#',
          '!!',
        ],
        ...['{{input.text}}', '{{input}}', '{{url}}', '{{token}}', '{{?', '?}}', '{{? {{input.to}}?}}', '{{', '}}'],
        ...[
          '-',
          '--',
          '--url=',
          '=',
          '~',
          '*',
          "$'",
          '$&',
          '$`',
          '*/',
          '//',
          'secret',
          '\t',
          '\r',
          '\x1b[201~',
          '\x7f',
        ],
        ...['\x9b', '\u2028', '\u202e', 'ü', '🦜'],
      ),
      fc.string({ unit: 'binary', maxLength: 3 }).map((text) => text.replaceAll('\0', '')),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((pieces) => pieces.join(''))
  .filter((text) => text !== '')

const date = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100') }).map((at) => at.toISOString())

/** A link has any JSON for an input, also what does not fit; and where it fits, any text. */
const inputOf = (schema: JsonSchema): fc.Arbitrary<unknown> => {
  if (schema['x-type'] === 'date') return date
  if (schema.properties) {
    const properties: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
      Object.entries(schema.properties).map(([name, inner]) => [name, inputOf(inner)]),
    )
    return fc.record(properties, { requiredKeys: schema.required ?? [] })
  }
  if (schema.items) return fc.array(inputOf(schema.items), { maxLength: 3 })
  const isNumber = schema.type === 'integer' || schema.type === 'number'
  return fc.oneof(
    { weight: isNumber ? 4 : 0, arbitrary: fc.integer() },
    { weight: 4, arbitrary: hostileText },
    { weight: 1, arbitrary: fc.dictionary(hostileText, hostileText, { minKeys: 1, maxKeys: 2 }) },
    { weight: 1, arbitrary: fc.array(hostileText, { maxLength: 2 }) },
  )
}

const callOf = ({ kind, input }: ProcedureDescription): fc.Arbitrary<Omit<WrittenCall, 'document' | 'procedure'>> =>
  fc.record({
    input: input ? inputOf(input) : fc.constant(undefined),
    origin: hostileText.map((text) => `https://${text}`),
    hasToken: fc.boolean(),
    cursor: kind === 'subscription' ? fc.option(hostileText) : fc.constant(null),
  })

/** As JSON has it, with what the environment holds in the place of a password. */
const expectedInput = ({ procedure, input }: WrittenCall): unknown => {
  const hasPassword = procedure.input?.properties?.password !== undefined
  return hasPassword ? { ...(input as object), password: secrets.PASSWORD } : input
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

/** The words of a command as the input that they were made of: words are texts, and JSON of what is no text. */
const fromWords = (words: Record<string, unknown>, input: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(words).map(([name, word]) => [
      name,
      typeof input[name] === 'string' ? word : JSON.parse(String(word)),
    ]),
  )

const checkJavaScript = async (label: string, code: string, call: WrittenCall) => {
  const { procedure, origin, hasToken, cursor } = call
  const { input, options } = await inJavaScript(code)
  const resumed = cursor !== null && { [label === 'SDK' ? 'cursor' : 'lastEventId']: cursor }
  const isEvents = label === 'SDK' && procedure.path === 'onMessage'
  const expected = isEvents ? resumed || undefined : expectedInput(call)
  expect(plain(input)).toEqual(label === 'tRPC' && resumed ? { ...(expected as object), ...resumed } : expected)
  if (label === 'SDK') expect(JSON.parse(options)).toEqual([{ url: origin, ...(hasToken && { token: 'the-token' }) }])
}

const checkParley = (words: string[], { procedure, origin, input }: WrittenCall) => {
  // `listen` takes no input, and no command takes a password.
  const whole = (procedure.kind === 'subscription' ? {} : (input ?? {})) as Record<string, unknown>
  const { password: _, ...expected } = whole
  const received = readParley(words)
  expect(received.url).toBe(origin)
  expect(fromWords(received.input, expected)).toEqual(expected)
}

const checkCurl = (words: string[], call: WrittenCall) => {
  const { path, input, headers } = readCurl(words, call)
  expect(path).toBe(call.procedure.path)
  expect(plain(input)).toEqual(expectedInput(call))
  if (call.hasToken) expect(headers).toContain('authorization: Bearer the-token')
  if (call.cursor !== null) expect(headers).toContain(`last-event-id: ${call.cursor}`)
}

/** All commands are pasted into one shell, as starting one takes longer than all else here. */
const checkCalls = async (calls: WrittenCall[]) => {
  const commands: { code: string; check(words: string[]): void }[] = []
  for (const call of calls) {
    for (const { label, text: code } of snippetsOf(call)) {
      // Pasted, control characters would be keys.
      expect(code).not.toMatch(/[^\P{Cc}\n]/u)
      if (code.startsWith('This input cannot be written: ')) {
        expect([label, code]).toEqual(['parley', expect.stringMatching(/: there is no place for [\w ,]+$/)])
      } else if (label === 'SDK' || label === 'tRPC') {
        await checkJavaScript(label, code, call)
      } else {
        const check = label === 'parley' ? checkParley : checkCurl
        commands.push({ code, check: (words) => check(words, call) })
      }
    }
  }
  const called = await inShell(commands.map(({ code }) => code).join('\n'))
  expect(called.length).toBe(commands.length)
  for (const [i, { check }] of commands.entries()) check(called[i] ?? [])
}

test('whatever is typed, the code for it gives a shell and a program that same input and nothing to run', async () => {
  expect(panel.procedures.length).toBeGreaterThan(10)
  for (const procedure of panel.procedures) {
    const calls = fc.array(callOf(procedure), { minLength: 1, maxLength: 10, size: 'max' })
    await fc.assert(
      fc.asyncProperty(calls, (generated) =>
        checkCalls(generated.map((call) => ({ ...call, document: panel, procedure }))),
      ),
      { numRuns: isLongForm ? 25 : 5 },
    )
  }
})

/** A call of a procedure of this server, as a link gives it. */
const linked = (path: string, input: unknown): WrittenCall => {
  const procedure = panel.procedures.find((one) => one.path === path)
  if (!procedure) throw new Error(`There is no procedure ${path}`)
  return { document: panel, procedure, input, origin: 'https://chat.example.org', hasToken: false, cursor: null }
}
const code = (label: string, call: WrittenCall) => snippetsOf(call).find((snippet) => snippet.label === label)?.text

test('a text that names a place of a template stays that text', () => {
  const input = { to: 'bob', text: '$(cmd)', clientMessageId: '{{input.text}}' }
  expect(code('parley', linked('sendMessage', input))).toBe(
    "npx parley send --url https://chat.example.org --client-message-id='{{input.text}}' -- bob '$(cmd)'",
  )
  const call = { ...linked('sendMessage', input), origin: '{{input.text}}', cursor: '{{?{{url}}?}}' }
  expect(fillTemplate('{{url}} {{cursor}}{{? {{input.clientMessageId}}?}} {{input}}', 'js', call)).toBe(
    "'{{input.text}}' '{{?{{url}}?}}' '{{input.text}}' { to: 'bob', text: '$(cmd)', clientMessageId: '{{input.text}}' }",
  )
})

test('what cannot be written is told without a word of the input that a shell might run', () => {
  const odd = { to: 'bob', text: 'x', '\n$(cmd)\n': 1 }
  expect(code('parley', linked('sendMessage', odd))).toBe(
    'This input cannot be written: there is no place for what has an unusual name',
  )
  expect(code('parley', linked('sendMessage', { to: 'bob', text: 'a\0b' }))).toBe(
    'This input cannot be written: no word of a shell holds U+0000',
  )
})

test('a name that would change a prototype is written as a name', async () => {
  const input = JSON.parse('{"to":"bob","text":"x","__proto__":{"text":"y"}}')
  const { input: received } = await inJavaScript(code('SDK', linked('sendMessage', input)) ?? '')
  expect(Object.entries(received as object)).toEqual(Object.entries(input))
})
