import { ChatError } from '../../server/contract/errors.ts'

const schemes = ['http:', 'https:', 'ws:', 'wss:']

/**
 * Where the WebSocket of a server is; the server may stand below a path of its host.
 * @throws ChatError `invalidInput`
 */
export const socketUrl = (server: string): string => {
  const url = parsed(server)
  if (!url || !schemes.includes(url.protocol)) {
    throw new ChatError('invalidInput', {
      message: `url: "${server}" is not the address of a server, such as https://chat.example.org`,
    })
  }
  url.protocol = url.protocol.replace('http', 'ws')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/trpc`
  url.search = '?connectionParams=1'
  // A WebSocket refuses addresses with a fragment.
  url.hash = ''
  return url.href
}

const parsed = (url: string): URL | null => {
  try {
    return new URL(url)
  } catch {
    return null
  }
}
