import type { PanelDocument, ProcedureDescription, SnippetTemplates } from '../../panel/document.ts'
import { richValue, Secret, withSecretsNamed } from './form/values.ts'
import { isObject, own, valueAt } from './json.ts'
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

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

/** A value as JavaScript, as somebody would write it: names without quotes, dates as dates, long ones over several lines. */
export const asJavaScript = (value: unknown, indent = ''): string => {
  if (value instanceof Date) return `new Date(${quoted(value.toISOString())})`
  if (value instanceof Secret) return `process.env.${variableOf(value)}`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const parts = Array.isArray(value)
    ? value.map((item) => asJavaScript(item, `${indent}  `))
    : Object.entries(value).map(
        ([name, item]) => `${isName(name) ? name : quoted(name)}: ${asJavaScript(item, `${indent}  `)}`,
      )
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (parts.length === 0) return open + close
  const line = parts.join(', ')
  const space = Array.isArray(value) ? '' : ' '
  if (line.length + indent.length < 72 && !line.includes('\n')) return `${open}${space}${line}${space}${close}`
  return `${open}\n${parts.map((part) => `${indent}  ${part},\n`).join('')}${indent}${close}`
}

/** One word of a shell, whatever is in it. A secret is the variable of its name. */
export const asShellWord = (value: unknown): string => {
  if (value instanceof Secret) return `"$${variableOf(value)}"`
  const text = typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : JSON.stringify(value)
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** An input as a word of a shell, as it travels, with the variables of its secrets between the quotes. */
const asShellJson = (value: unknown, transformer: Transformer): string => {
  const secrets: Secret[] = []
  // A text of its own in the place of each, as JSON and transformers know no secrets.
  const mark = crypto.randomUUID()
  const marked = (at: unknown): unknown => {
    if (at instanceof Secret) return `${mark}${secrets.push(at) - 1}.`
    if (Array.isArray(at)) return at.map(marked)
    if (!isObject(at) || at instanceof Date) return at
    return Object.fromEntries(Object.entries(at).map(([key, inner]) => [key, marked(inner)]))
  }
  const text = JSON.stringify(transformer.write(marked(value))).replaceAll("'", "'\\''")
  return secrets.reduce((word, secret, i) => word.replace(`${mark}${i}.`, `'${asShellWord(secret)}'`), `'${text}'`)
}

/** See `SnippetTemplates`. */
export const fillTemplate = (template: string, language: SnippetTemplates['language'], call: WrittenCall): string => {
  const input = namedInput(call)
  const write = language === 'js' ? (value: unknown) => asJavaScript(value) : asShellWord
  const partOf = (name: string): unknown => {
    if (name === 'url') return call.origin
    if (name === 'cursor') return call.cursor
    if (name === 'token') return call.hasToken ? new Secret('token') : null
    return valueAt({ input }, name.split('.'))
  }
  const unnamed = unnamedIn(template, input)
  if (unnamed.length > 0) throw new Error(`there is no place for ${unnamed.join(', ')}`)
  const fill = (text: string): string | null => {
    let isWhole = true
    const filled = text.replace(/\{\{([\w.]+)\}\}/g, (_, name: string) => {
      if (name === 'procedure') return call.procedure.path
      if (name === 'input' && input === undefined) return ''
      const value = partOf(name)
      if (value === undefined || value === null || value === '') isWhole = false
      return write(value ?? '')
    })
    return isWhole ? filled : null
  }
  const withoutGaps = template.replace(/\{\{\?(.*?)\?\}\}/gs, (_, part: string) => fill(part) ?? '')
  return withoutGaps.replace(/\{\{[\w.]+\}\}/g, (place) => fill(place) ?? write(''))
}

/** The parts of an input that a template of parts has no place for; what is secret is asked for by whatever runs it. */
const unnamedIn = (template: string, input: unknown): string[] => {
  if (!template.includes('{{input.') || template.includes('{{input}}') || !isObject(input)) return []
  return Object.entries(input).flatMap(([name, value]) =>
    value === undefined || value instanceof Secret || template.includes(`{{input.${name}}}`) ? [] : [name],
  )
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
    return `${isName(name) ? name : quoted(name)}: ${value}`
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
