import { ChatError } from '../../../server/contract/chat-error.ts'

const schemes = ['http:', 'https:', 'ws:', 'wss:']

/** Where a server takes calls. */
export interface Addresses {
  webSocket: string
  /** A procedure is at `<http>/<name>`. */
  http: string
}

/**
 * The server may stand below a path of its host.
 * @throws ChatError `invalidInput`
 */
export const addressesOf = (server: string): Addresses => {
  const url = parsed(server)
  if (!url || !schemes.includes(url.protocol)) {
    throw new ChatError('invalidInput', {
      message: `url: "${server}" is not the address of a server, such as https://chat.example.org`,
    })
  }
  const path = `${url.pathname.replace(/\/+$/, '')}/trpc`
  const at = (scheme: string, search: string) => {
    url.protocol = scheme
    url.pathname = path
    url.search = search
    // A WebSocket refuses addresses with a fragment.
    url.hash = ''
    return url.href
  }
  const secure = /s:$/.test(url.protocol) ? 's:' : ':'
  return { http: at(`http${secure}`, ''), webSocket: at(`ws${secure}`, '?connectionParams=1') }
}

const parsed = (url: string): URL | null => {
  try {
    return new URL(url)
  } catch {
    return null
  }
}
