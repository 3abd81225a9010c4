import type { Duplex } from 'node:stream'

/** Node's own view of what the operating system has taken, which shows a part of one large write as well. */
interface WithHandle {
  _handle?: { bytesWritten?: number; writeQueueSize?: number } | null
}

/**
 * Whether the peer takes what is sent, whatever it says meanwhile.
 * @returns a look at `now`: false where it has taken nothing for `takeMs`, though there was something
 */
export const createTaking = (socket: Duplex, takeMs: number) => {
  let lastTaken = -1
  let takenAt = 0

  return (now: number): boolean => {
    const taken = bytesTaken(socket)
    if (socket.writableLength === 0 || taken !== lastTaken) {
      lastTaken = taken
      takenAt = now
    }
    return now - takenAt < takeMs
  }
}

const bytesTaken = (socket: Duplex & { bytesWritten?: number } & WithHandle): number => {
  const { bytesWritten, writeQueueSize } = socket._handle ?? {}
  if (bytesWritten !== undefined && writeQueueSize !== undefined) return bytesWritten - writeQueueSize
  return (socket.bytesWritten ?? 0) - socket.writableLength
}
