/**
 * What a router tells the panel about itself: the only thing that the page knows of it. Shared with the page as types, so
 * this file imports nothing.
 */
export interface PanelDocument extends PanelOptions {
  /** How values travel that JSON has no words for: as superjson writes them, or not at all. */
  transformer: 'superjson' | 'json'
  /** Between the parts of a nested procedure's name in the address of an HTTP call. */
  pathSeparator: string
  procedures: ProcedureDescription[]
}

export interface ProcedureDescription {
  /** `history`, or `admin.users.list` in nested routers. */
  path: string
  kind: 'query' | 'mutation' | 'subscription'
  /** From the procedure's `meta`, otherwise from its input's. */
  description: string | null
  /** JSON Schema 2020-12 of what a caller may send; null where there is no input, `{}` where nothing is known of it. */
  input: JsonSchema | null
}

export interface PanelOptions {
  title: string
  /** Other pages of the server. */
  links: { label: string; href: string }[]
  /** The path of tRPC, for HTTP and for the WebSocket. */
  endpoint: string
  /** How a token travels, with `{{token}}` in its place. */
  credentials: { headers: Record<string, string>; connectionParams: Record<string, string> }
  /** Procedures that answer with a token: where in the answer it stands, and by what the identity is known. */
  signIn: { path: string; token: string; name: string }[]
  /** The procedure that ends a session; null: tokens are only forgotten. */
  signOut: string | null
  /** Where an error's `data` names its kind, and its issues as `{ path, message }`; where there are any. */
  errors: { kind: string; issues: string }
  /** A socket that was closed with one of these is not opened again by itself. */
  finalCloseCodes: number[]
  /** Ways to write a call besides the ones that fit every router: see `fillTemplate` in the page. */
  snippets: SnippetTemplates[]
}

/**
 * A call as text. `{{procedure}}` is its name, `{{input}}` the whole input, `{{input.a.b}}` a part of it, `{{url}}` the
 * server's address, `{{cursor}}` the id of the last tracked event, `{{token}}` the variable that holds the token of
 * whoever is signed in; what stands between `{{?` and `?}}` is left out where a part in it is not given. A template that
 * names parts of the input cannot write a call that has others besides.
 */
export interface SnippetTemplates {
  label: string
  /** How values are written: as JavaScript, or as one word of a shell. */
  language: 'js' | 'sh'
  byKind: Partial<Record<ProcedureDescription['kind'], string>>
  /** Goes before `byKind`. Null: this procedure cannot be called in this way. */
  byProcedure: Record<string, string | null>
}

export interface JsonSchema {
  $ref?: string
  $defs?: Record<string, JsonSchema>
  type?: string | string[]
  title?: string
  description?: string
  deprecated?: boolean
  default?: unknown
  examples?: unknown[]
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  not?: JsonSchema
  format?: string
  writeOnly?: boolean
  contentEncoding?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  items?: JsonSchema
  prefixItems?: JsonSchema[]
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  propertyNames?: JsonSchema
  /** What JSON cannot say and superjson can: the text given here becomes a value of this type. */
  'x-type'?: 'date' | 'bigint'
}
