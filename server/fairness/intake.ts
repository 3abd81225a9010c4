import type { Socket } from 'node:net'
import type { TimeShare, TimeShares } from './time-shares.ts'

/** What is read of a socket between two looks at its share: some seventy of the smallest frames, a dozen requests. */
const sliceBytes = 512
/** Whoever has had more to do than her share for so long is not read any more. */
const lateMaxMs = 30_000

/** What comes in over a TCP connection, read no faster than its share of the loop's time allows. */
export interface Intake {
  readonly share: TimeShare
  /** What to do with a peer that goes on asking for more than its share; at first, it is cut. */
  onLate(): void
}

/**
 * Reads of a connection are cut into slices, and each waits for its share; meanwhile the peer's own network holds it back. The
 * gate stands where node hands over what it has read, so that all who read the socket after (HTTP, WebSocket) are behind it.
 */
export const createIntakes = (shares: TimeShares) => {
  const intakes = new WeakMap<Socket, Intake>()
  return {
    find: (socket: Socket): Intake | null => intakes.get(socket) ?? null,
    /** @param address by whose share it counts, unless it has an intake already */
    of(socket: Socket, address: string): Intake {
      const known = intakes.get(socket)
      if (known) return known
      const share = shares.open(address)
      const intake: Intake = { share, onLate: () => socket.destroy() }
      intakes.set(socket, intake)
      socket.once('close', share.close)
      holdBack(socket, share, () => intake.onLate())
      return intake
    },
  }
}
export type Intakes = ReturnType<typeof createIntakes>

const holdBack = (socket: Socket, share: TimeShare, onLate: () => void): void => {
  const push = socket.push.bind(socket)
  const readMore = socket._read.bind(socket)
  /** Read of the network, and not handed on. */
  let pending: Buffer | null = null
  let isHandingOn = false
  let isWaiting = false
  let isMoreWanted = false
  let hasEnded = false

  /** @returns whether the reader takes more */
  const handOn = (): boolean => {
    isHandingOn = true
    let takesMore = true
    while (pending !== null && socket.readableFlowing !== false && !socket.destroyed) {
      if (!share.begin()) {
        isWaiting = true
        share.wait(goOn)
        break
      }
      const bytes: Buffer = pending
      pending = bytes.length > sliceBytes ? bytes.subarray(sliceBytes) : null
      takesMore = push(bytes.subarray(0, sliceBytes))
    }
    isHandingOn = false
    if (!isWaiting) share.rest()
    if (pending === null && hasEnded) push(null)
    return takesMore && pending === null
  }
  const goOn = () => {
    isWaiting = false
    if (socket.destroyed) return
    if (share.lateMs() > lateMaxMs) return onLate()
    handOn()
    if (pending !== null || !isMoreWanted) return
    isMoreWanted = false
    readMore(0)
  }

  socket.push = (chunk: Buffer | null): boolean => {
    if (chunk === null) {
      hasEnded = true
      return pending === null && push(null)
    }
    pending = pending === null ? chunk : Buffer.concat([pending, chunk])
    return isHandingOn || isWaiting ? false : handOn()
  }
  socket._read = (size: number) => {
    if (pending === null) readMore(size)
    else isMoreWanted = true
  }
  socket.on('resume', () => {
    if (pending !== null && !isHandingOn && !isWaiting) goOn()
  })
}
