import type { Socket } from 'node:net'

/**
 * Ends a connection as a cut does, with a reset. While its end (a FIN) is on its way, the system refuses that, and node then
 * never closes the socket: the other side waits for ever, and so does a thread that is to end. Such a one is closed instead.
 */
export const resetSocket = (socket: Socket): void => {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
