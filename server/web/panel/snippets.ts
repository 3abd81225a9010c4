import type { PanelDocument, ProcedureDescription, SnippetTemplates } from '../../panel/document.ts'
import { richValue, Secret, withSecretsNamed } from './form/values.ts'
import { isObject, own, valueAt } from './json.ts'
import { fillParts, parseTemplate, placeNames, type TemplatePart } from './template.ts'
import { type Transformer, transformers } from './wire/transformer.ts'

export interface Snippet {
  label: string
  text: string
}

/** The call that is written down. */
export interface WrittenCall {
  document: PanelDocument
  procedure: ProcedureDescription
  /** As in the form. */
  input: unknown
  /** The server's address. */
  origin: string
  hasToken: boolean
  cursor: string | null
}

const isName = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text)
const variableOf = ({ name }: Secret): string => name.replace(/\W+/g, '_').toUpperCase()

/** JSON without any control character: where one is pasted, a terminal may take it for a key, such as backspace. */
const asJson = (value: unknown): string =>
  JSON.stringify(value).replace(/\p{Cc}/gu, (control) => `\\u00${control.charCodeAt(0).toString(16)}`)

const quoted = (text: string): string => `'${asJson(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

/** `__proto__` would set the prototype, quoted or not. */
const asJavaScriptName = (name: string): string => {
  if (name === '__proto__') return "['__proto__']"
  return isName(name) ? name : quoted(name)
}

/** A value as JavaScript, as somebody would write it: names without quotes, dates as dates, long ones over several lines. */
export const asJavaScript = (value: unknown, indent = ''): string => {
  if (value instanceof Date) return `new Date(${quoted(value.toISOString())})`
  if (value instanceof Secret) return `process.env.${variableOf(value)}`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const parts = Array.isArray(value)
    ? value.map((item) => asJavaScript(item, `${indent}  `))
    : Object.entries(value).map(([name, item]) => `${asJavaScriptName(name)}: ${asJavaScript(item, `${indent}  `)}`)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (parts.length === 0) return open + close
  const line = parts.join(', ')
  const space = Array.isArray(value) ? '' : ' '
  if (line.length + indent.length < 72 && !line.includes('\n')) return `${open}${space}${line}${space}${close}`
  return `${open}\n${parts.map((part) => `${indent}  ${part},\n`).join('')}${indent}${close}`
}

/** Between single quotes, where a shell reads nothing but their end. */
const shellQuoted = (text: string): string =>
  `'${text.replaceAll("'", "'\\''").replace(/[^\P{Cc}\n]/gu, (control) => `'"$(printf '${octalBytes(control)}')"'`)}'`

/** How `printf` writes a control character, which must not be pasted as it is: see `asJson`. */
const octalBytes = (control: string): string => {
  if (control === '\0') throw new Error('no word of a shell holds U+0000')
  return Array.from(new TextEncoder().encode(control), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}

/** One word of a shell, whatever is in it. A secret is the variable of its name. */
export const asShellWord = (value: unknown): string => {
  if (value instanceof Secret) return `"$${variableOf(value)}"`
  const text = typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : asJson(value)
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(text) ? text : shellQuoted(text)
}

/** An input as a word of a shell, as it travels, with the variables of its secrets between the quotes. */
const asShellJson = (value: unknown, transformer: Transformer): string => {
  const secrets: Secret[] = []
  const withMarks = (at: unknown, mark: string): unknown => {
    if (at instanceof Secret) {
      secrets.push(at)
      return mark
    }
    if (Array.isArray(at)) return at.map((inner) => withMarks(inner, mark))
    if (!isObject(at) || at instanceof Date) return at
    return Object.fromEntries(Object.entries(at).map(([key, inner]) => [key, withMarks(inner, mark)]))
  }
  const jsonWith = (mark: string): string => {
    secrets.length = 0
    return asJson(transformer.write(withMarks(value, mark)))
  }
  // JSON and transformers know no secrets, so a text that stands nowhere else holds the place of each.
  const others = jsonWith('')
  let mark = 'secret'
  while (others.includes(mark)) mark += '_'
  const [first = '', ...rest] = jsonWith(mark).split(mark).map(shellQuoted)
  return first + rest.map((text, i) => asShellWord(secrets[i]) + text).join('')
}

/** See `SnippetTemplates`. */
export const fillTemplate = (template: string, language: SnippetTemplates['language'], call: WrittenCall): string => {
  const input = namedInput(call)
  const parts = parseTemplate(template)
  const unnamed = unnamedIn(parts, input)
  if (unnamed.length > 0) throw new Error(`there is no place for ${unnamed.join(', ')}`)
  const write = language === 'js' ? (value: unknown) => asJavaScript(value) : asShellWord
  const partOf = (name: string): unknown => {
    if (name === 'url') return call.origin
    if (name === 'cursor') return call.cursor
    if (name === 'token') return call.hasToken ? new Secret('token') : null
    return valueAt({ input }, name.split('.'))
  }
  const textOf = (name: string): string | null => {
    if (name === 'procedure') return call.procedure.path
    if (name === 'input' && input === undefined) return ''
    const value = partOf(name)
    return value === undefined || value === null || value === '' ? null : write(value)
  }
  return fillParts(parts, textOf, write(''))
}

/** The parts of an input that a template of parts has no place for; what is secret is asked for by whatever runs it. */
const unnamedIn = (parts: TemplatePart[], input: unknown): string[] => {
  const places = placeNames(parts)
  if (places.includes('input') || !places.some((name) => name.startsWith('input.')) || !isObject(input)) return []
  return Object.entries(input).flatMap(([name, value]) => {
    if (value === undefined || value instanceof Secret || places.includes(`input.${name}`)) return []
    // What stands in the place of the code is copied like code, and so must not be any.
    return [isName(name) ? name : 'what has an unusual name']
  })
}

/** As it travels, but for its secrets. */
const namedInput = ({ document, procedure, input }: WrittenCall): unknown =>
  withSecretsNamed(procedure.input, richValue(document.transformer, procedure.input, input))

/** With tRPC's own client, which every router has. */
const asTrpc = (call: WrittenCall): string => {
  const { document, procedure, origin, hasToken, cursor } = call
  const { path, kind } = procedure
  const input = namedInput(call)
  const isStream = kind === 'subscription'
  const isSuperjson = document.transformer === 'superjson'
  const url = `${isStream ? origin.replace('http', 'ws') : origin}${document.endpoint}`
  const { headers, connectionParams } = document.credentials
  const credentials = hasToken
    ? [`${isStream ? 'connectionParams' : 'headers'}: ${withToken(isStream ? connectionParams : headers)}`]
    : []
  const transformer = isSuperjson ? ['transformer: superjson'] : []
  const given = (parts: string[]) => `{ ${parts.join(', ')} }`
  const link = isStream
    ? `wsLink(${given([`client: createWSClient(${given([`url: ${quoted(url)}`, ...credentials])})`, ...transformer])})`
    : `httpLink(${given([`url: ${quoted(url)}`, ...credentials, ...transformer])})`
  const resumed =
    cursor === null || (input !== undefined && !isObject(input)) ? input : { ...input, lastEventId: cursor }
  const written = resumed === undefined ? '' : asJavaScript(resumed)
  return [
    `import { createTRPCClient, ${isStream ? 'createWSClient, wsLink' : 'httpLink'} } from '@trpc/client'`,
    ...(isSuperjson ? ["import superjson from 'superjson'"] : []),
    '',
    `const client = createTRPCClient({ links: [${link}] })`,
    isStream
      ? `client.${path}.subscribe(${written || 'undefined'}, { onData: (event) => console.log(event) })`
      : `console.log(await client.${path}.${kind === 'query' ? 'query' : 'mutate'}(${written}))`,
  ].join('\n')
}

/** Headers or parameters as JavaScript, with the variable in the place of the token. */
const withToken = (templates: Record<string, string>): string => {
  const parts = Object.entries(templates).map(([name, template]) => {
    const value =
      template === '{{token}}'
        ? 'process.env.TOKEN'
        : `\`${template.replaceAll('{{token}}', `\${process.env.TOKEN}`)}\``
    return `${asJavaScriptName(name)}: ${value}`
  })
  return `{ ${parts.join(', ')} }`
}

/** The token is a variable, so that what is copied does not carry it along. */
const asCurl = (call: WrittenCall): string => {
  const { document, procedure, origin, hasToken, cursor } = call
  const { transformer, endpoint, pathSeparator, credentials } = document
  const input = namedInput(call)
  const body = input === undefined ? null : asShellJson(input, transformers[transformer])
  const headers = hasToken
    ? Object.entries(credentials.headers).map(
        ([name, value]) => `-H "${name}: ${value.replaceAll('{{token}}', '$TOKEN')}"`,
      )
    : []
  const url = asShellWord(`${origin}${endpoint}/${procedure.path.replaceAll('.', pathSeparator)}`)
  if (procedure.kind === 'mutation') {
    return lines(`curl -sS -X POST ${url}`, [
      ...headers,
      ...(body === null ? [] : ["-H 'content-type: application/json'", `-d ${body}`]),
    ])
  }
  const resume = cursor === null ? [] : [`-H ${asShellWord(`last-event-id: ${cursor}`)}`]
  const isStream = procedure.kind === 'subscription'
  return lines(`curl -sS${isStream ? 'N' : ''}${body === null ? '' : 'G'} ${url}`, [
    ...headers,
    ...(isStream ? ["-H 'accept: text/event-stream'", ...resume] : []),
    ...(body === null ? [] : [`--data-urlencode input=${body}`]),
  ])
}

const lines = (first: string, rest: string[]): string => [first, ...rest].join(' \\\n  ')

/** Some inputs cannot be sent, such as one with the name `__proto__`, and so cannot be written either. */
const written = (write: () => string): string => {
  try {
    return write()
  } catch (error) {
    return `This input cannot be written: ${error instanceof Error ? error.message : error}`
  }
}

/** A call in all ways that are known for it. */
export const snippetsOf = (call: WrittenCall): Snippet[] => [
  ...call.document.snippets.flatMap(({ label, language, byKind, byProcedure }) => {
    const { path, kind } = call.procedure
    const ownTemplate = own(byProcedure, path)
    const template = ownTemplate === undefined ? byKind[kind] : ownTemplate
    return template ? [{ label, text: written(() => fillTemplate(template, language, call)) }] : []
  }),
  { label: 'tRPC', text: written(() => asTrpc(call)) },
  { label: 'curl', text: written(() => asCurl(call)) },
]
