import type { createOpenApiDocument } from './openapi.ts'

/** What of a schema is shown; the document has more. */
interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: string[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
}

interface Parameter {
  name: string
  in: 'path' | 'query'
  required: boolean
  description?: string
  schema: Schema
  example?: string | number
}

type Content = Record<string, { schema: Schema; example?: unknown }>

interface Operation {
  operationId: string
  summary: string
  description?: string
  security: unknown[]
  parameters?: Parameter[]
  requestBody?: { content: Content }
  responses: Record<string, { description: string; content?: Content }>
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: unknown): string => String(text).replace(/[&<>"]/g, (found) => entities[found] ?? found)

/** Escaped, with `code` and line breaks kept. */
const prose = (text = ''): string =>
  escaped(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll('\n', '<br>')

const json = (value: unknown): string => escaped(JSON.stringify(value, null, 2))

const typeOf = ({ $ref, type, format, items, anyOf, enum: values }: Schema): string => {
  if ($ref) {
    const name = $ref.split('/').at(-1)
    return `<a href="#schema-${name}">${name}</a>`
  }
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  if (items) return `${typeOf(items)}[]`
  if (values) return values.map((value) => `<code>${escaped(value)}</code>`).join(' ')
  if (type === undefined) return 'any'
  return `${[type].flat().join(' or ')}${format ? ` (${format})` : ''}`
}

/** Bounds that nobody chose, such as that of a safe integer, are left out. */
const boundsOf = ({ minimum, maximum, minLength, maxLength, default: byDefault }: Schema): string => {
  const [low, high] = [minimum ?? minLength, maximum ?? maxLength]
  const isLength = minLength !== undefined || maxLength !== undefined
  const bounds = [
    low !== undefined && low > Number.MIN_SAFE_INTEGER && `at least ${low}`,
    high !== undefined && high < Number.MAX_SAFE_INTEGER && `at most ${high}`,
  ].filter(Boolean)
  return [
    bounds.length > 0 && `${bounds.join(', ')}${isLength ? ' characters' : ''}`,
    byDefault !== undefined && `${byDefault} if not given`,
  ]
    .filter(Boolean)
    .join('; ')
}

const row = (name: string, schema: Schema, { required = false, description = schema.description ?? '' }) =>
  `<tr><th scope="row"><code>${escaped(name)}</code>${required ? '' : ' <span class="soft">optional</span>'}</th>` +
  `<td>${typeOf(schema)} <span class="soft">${boundsOf(schema)}</span><br>${prose(description)}</td></tr>`

const table = (caption: string, rows: string[]): string =>
  rows.length === 0 ? '' : `<table>${caption && `<caption>${caption}</caption>`}<tbody>${rows.join('')}</tbody></table>`

const fieldsOf = ({ properties = {}, required = [] }: Schema): string[] =>
  Object.entries(properties).map(([name, schema]) => row(name, schema, { required: required.includes(name) }))

const input = (id: string, { name, in: place, required, example }: Parameter): string =>
  `<label>${escaped(name)} <input name="${escaped(name)}" data-in="${place}" ${required ? 'required' : ''} ` +
  `value="${place === 'path' || required ? escaped(example ?? '') : ''}" id="${id}-${escaped(name)}" ` +
  `autocomplete="off" spellcheck="false" autocapitalize="none"></label>`

const tryIt = (method: string, path: string, { operationId, parameters = [], requestBody }: Operation): string => {
  const body = requestBody?.content['application/json']
  const rows = JSON.stringify(body?.example, null, 2)?.split('\n').length
  return (
    `<form data-method="${method}" data-path="${path}" aria-label="Try ${operationId}">` +
    parameters.map((parameter) => input(operationId, parameter)).join('') +
    (body
      ? `<label class="wide">Body <textarea name="body" rows="${rows}" spellcheck="false">${json(body.example)}</textarea></label>`
      : '') +
    '<div class="wide"><button>Send</button> <button type="button" name="curl">Show as curl</button></div>' +
    '<output class="wide" aria-live="polite"></output></form>'
  )
}

const call = (method: string, path: string, operation: Operation): string => {
  const { operationId, summary, description, security, parameters = [], requestBody, responses } = operation
  const answers = Object.entries(responses).map(([status, { description, content }]) => {
    const [media] = Object.values(content ?? {})
    const type = media && status.startsWith('2') ? ` ${typeOf(media.schema)}` : ''
    return `<tr><th scope="row">${status}</th><td>${prose(description)}${type}</td></tr>`
  })
  const [sent] = Object.values(requestBody?.content ?? {})
  const [example] = Object.entries(responses).flatMap(([status, { content }]) =>
    status.startsWith('2') ? (content?.['application/json']?.example ?? []) : [],
  )
  return (
    `<details class="call" id="${operationId}"><summary><span class="method ${method}">${method}</span> ` +
    `<code class="path">${escaped(path)}</code> <span class="about">${prose(summary)}</span></summary><div class="inside">` +
    (description ? `<p>${prose(description)}</p>` : '') +
    (security.length === 0 ? '<p class="soft">Needs no session.</p>' : '') +
    table(
      'Parameters',
      parameters.map(({ name, schema, ...rest }) => row(name, schema, rest)),
    ) +
    (sent ? `<p>Body: ${typeOf(sent.schema)}, as JSON</p>` : '') +
    `<section class="try"><h3>Try it</h3>${tryIt(method, path, operation)}</section>` +
    table('Answers', answers) +
    (example === undefined
      ? ''
      : `<details><summary>Example of an answer</summary><pre>${json(example)}</pre></details>`) +
    '</div></details>'
  )
}

/** The page of the document, readable without a script; the script adds the trying. */
export const renderDocs = (document: ReturnType<typeof createOpenApiDocument>): string => {
  const { info, paths, components } = document
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) =>
      call(method.toUpperCase(), path, operation),
    ),
  )
  const schemas = Object.entries(components.schemas as Record<string, Schema>).map(
    ([name, schema]) =>
      `<section id="schema-${name}"><h3>${name}</h3>` +
      (schema.items ? `<p>A list of ${typeOf(schema.items)}</p>${table('', fieldsOf(schema.items))}` : '') +
      `${table('', fieldsOf(schema))}</section>`,
  )
  const errors = Object.entries(document['x-error-kinds']).map(
    ([kind, { status, retryable, message }]) =>
      `<tr id="${kind}"><th scope="row"><code>${kind}</code></th><td>${status}</td>` +
      `<td>${escaped(message)}${retryable ? ' <span class="soft">The same call may succeed later.</span>' : ''}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(info.title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/docs/style.css">
<script type="module" src="/api/docs/script.js"></script>
</head>
<body>
<header>
<h1>${escaped(info.title)}</h1>
<p>${prose(info.description)}</p>
<p><a href="/api/openapi.json">OpenAPI 3.1 document</a> · <a href="#schemas">Schemas</a> · <a href="#errors">Errors</a></p>
<form class="token" id="session"><label>Session token <input name="token" type="password" autocomplete="off"
 placeholder="filled in by register and login"></label> <button type="button" name="forget">Forget it</button></form>
</header>
<main>
<h2 id="calls">Calls</h2>
${calls.join('\n')}
<h2 id="schemas">Schemas</h2>
${schemas.join('\n')}
<h2 id="errors">Errors</h2>
<p>Each answer of an error is a <a href="#schema-Problem">Problem</a>; its <code>kind</code> is one of these.</p>
<table><thead><tr><th>Kind</th><th>Status</th><th>Words</th></tr></thead><tbody>${errors.join('\n')}</tbody></table>
</main>
</body>
</html>
`
}
