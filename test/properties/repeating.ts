import type { WebSocket } from 'ws'
import type { SocketLike } from '../../client-sdk/src/transport/socket.ts'

/** Tells every so-manieth message, change and receipt twice, once more when others have come: a server may, and TCP does not. */
export const repeating = (socket: WebSocket, every: number): SocketLike => {
  if (every === 0) return socket as SocketLike
  let listener: ((event: { data: unknown }) => void) | null = null
  let count = 0
  let kept: { data: unknown } | null = null
  Object.defineProperty(socket, 'onmessage', {
    get: () => listener,
    set(next) {
      listener = next
    },
  })
  socket.addEventListener('message', (event) => {
    listener?.(event)
    if (!isEvent(String(event.data)) || ++count % every !== 0) return
    listener?.(event)
    if (kept) listener?.(kept)
    kept = event
  })
  return socket as SocketLike
}

const isEvent = (frame: string) => /"data":\{"type":"(message|messageChanged|receipt)"/.test(frame)
