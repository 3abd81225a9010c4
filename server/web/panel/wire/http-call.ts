import { isObject } from '../json.ts'
import { Failure, readFailure } from './failure.ts'
import type { Transformer } from './transformer.ts'

export interface HttpCall {
  kind: 'query' | 'mutation'
  /** Its full address. */
  url: string
  headers: Record<string, string>
  input: unknown
}

const answerMs = 30_000

/** One call over HTTP, as every tRPC server takes it. @throws Failure */
export const callOverHttp = async (call: HttpCall, transformer: Transformer): Promise<unknown> => {
  const response = await fetch(...requestOf(call, transformer)).catch((error: unknown) => {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError'
    throw new Failure(isLate ? `No answer came within ${answerMs / 1000} s.` : 'The server cannot be reached.')
  })
  const body: unknown = await response.json().catch(() => null)
  if (isObject(body) && 'error' in body) throw readFailure(transformer.read(body.error))
  if (isObject(body) && isObject(body.result)) return transformer.read(body.result.data)
  throw new Failure(`The server answered ${response.status} ${response.statusText}, which is not tRPC.`)
}

const requestOf = ({ kind, url, headers, input }: HttpCall, transformer: Transformer): [string, RequestInit] => {
  const text = input === undefined ? undefined : JSON.stringify(transformer.write(input))
  const common = { cache: 'no-store', signal: AbortSignal.timeout(answerMs) } as const
  if (kind === 'query') {
    return [text === undefined ? url : `${url}?input=${encodeURIComponent(text)}`, { ...common, headers }]
  }
  const withType = { ...headers, 'content-type': 'application/json' }
  return [url, { ...common, method: 'POST', headers: withType, ...(text !== undefined && { body: text }) }]
}
