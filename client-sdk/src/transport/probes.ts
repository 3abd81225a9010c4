import type { MakeSocket, SocketLike } from './socket.ts'

/** What plain HTTP may take to tell whether it is the WebSocket or the network that fails. */
const httpMs = 3_000
/** What a WebSocket may take to bring one frame there and one back. */
const webSocketMs = 8_000

/** Whether plain HTTP reaches a server that takes connections. Where the signal aborts, it does not. */
export const httpReaches = async (url: string, signal: AbortSignal): Promise<boolean> => {
  const over = new AbortController()
  const end = () => over.abort()
  const timer = setTimeout(end, httpMs)
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  try {
    return (await fetch(`${url}/me`, { method: 'HEAD', cache: 'no-store', signal: over.signal })).status === 204
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  }
}

/** Whether a WebSocket opens and lets frames through, both ways. It signs nobody in. */
export const webSocketReaches = (makeSocket: MakeSocket, url: string, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    let socket: SocketLike | undefined
    const end = (passes: boolean) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (socket) {
        socket.onopen = socket.onmessage = socket.onclose = null
        socket.onerror = () => {}
        if (socket.terminate && !passes) socket.terminate()
        else socket.close()
      }
      resolve(passes)
    }
    const onAbort = () => end(false)
    const timer = setTimeout(end, webSocketMs, false)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) return end(false)
    try {
      socket = makeSocket(url)
      socket.onopen = () => socket?.send('PING')
      socket.onmessage = ({ data }: { data: unknown }) => data === 'PONG' && end(true)
      socket.onclose = socket.onerror = () => end(false)
    } catch {
      end(false)
    }
  })
