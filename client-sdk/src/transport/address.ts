import { ChatError } from '../../../server/contract/chat-error.ts'

const schemes = ['http:', 'https:', 'ws:', 'wss:']

/** Where a server takes calls. */
export interface Addresses {
  webSocket: string
  /** A procedure is at `<http>/<name>`. */
  http: string
}

/**
 * The server may stand below a path of its host. A query and a fragment, as the address of a page has them, are left out.
 * @throws ChatError `invalidInput`
 */
export const addressesOf = (server: string): Addresses => {
  const url = parsed(server)
  if (!url || !schemes.includes(url.protocol)) {
    throw invalid(`"${server}" is not the address of a server, such as https://chat.example.org`)
  }
  // Not repeated: errors are logged.
  if (url.username || url.password) throw invalid('it holds a name or a password; sign in with them instead')
  const secure = url.protocol === 'https:' || url.protocol === 'wss:' ? 's' : ''
  const rest = `${secure}://${url.host}${url.pathname.replace(/\/+$/, '')}/trpc`
  return { http: `http${rest}`, webSocket: `ws${rest}?connectionParams=1` }
}

const invalid = (words: string) => new ChatError('invalidInput', { message: `url: ${words}` })

const parsed = (url: string): URL | null => {
  try {
    return new URL(url)
  } catch {
    return null
  }
}
