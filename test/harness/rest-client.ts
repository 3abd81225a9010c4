/** What a program in another language would do: a method, a path, a token, JSON. */
export interface Answer<Body = unknown> {
  status: number
  headers: Headers
  body: Body
}

export const createRestClient = (url: string, token?: string) => {
  const call = async <Body = Record<string, unknown>>(
    method: string,
    path: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer<Body>> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text }
  }
  return {
    call,
    get: <Body = Record<string, unknown>>(path: string, headers?: Record<string, string>) =>
      call<Body>('GET', path, headers && { headers }),
    post: <Body = Record<string, unknown>>(path: string, body?: unknown) =>
      call<Body>('POST', path, body === undefined ? {} : { body }),
    patch: <Body = Record<string, unknown>>(path: string, body: unknown) => call<Body>('PATCH', path, { body }),
    delete: <Body = Record<string, unknown>>(path: string) => call<Body>('DELETE', path),
  }
}

/** The path that a `Link` header gives for a relation, or null. */
export const linkOf = ({ headers }: Answer, rel: string): string | null =>
  new RegExp(`<([^>]+)>; rel="${rel}"`).exec(headers.get('link') ?? '')?.[1] ?? null
