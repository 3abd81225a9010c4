import { maxBatch, maxFrameBytes } from '../contract/protocol.ts'

/** Every bound of a socket in one place. Bytes are bytes on the wire, times are milliseconds. */
export interface SocketLimits {
  /** Largest message, whole or in fragments; a larger one closes 1009. */
  maxFrameBytes: number
  /** Deepest nesting of a frame's JSON, its envelope included; a deeper one is a PARSE_ERROR. */
  maxJsonDepth: number
  /** Entries of one batch, counted before any runs; more close 1008. */
  maxBatch: number
  /** Open sockets of one user, of one client address, of one site (many addresses), and of this server. */
  socketsPerUser: number
  socketsPerAddress: number
  socketsPerSite: number
  sockets: number
  /** Subscriptions alive on one socket, and those of one user on all of hers; one that was stopped counts until its
   *  generator has finished. */
  subscriptions: number
  subscriptionsPerUser: number
  /** Calls of one socket that run at once, and that wait. With more than that waiting the socket is not read. */
  callsInFlight: number
  callsQueued: number
  /** Until the `connectionParams` frame, and until `identify`, both from the opening of the socket. */
  signInMs: number
  anonymousMs: number
  /** How long a socket whose context failed stays open, so that the calls already on their way learn why. */
  rejectMs: number
  /** Silence after which a ping is sent, and what the answer may take. */
  pingMs: number
  pongMs: number
  /** Unsent bytes above which a socket is not read, starts no call and pulls no event. */
  pauseBytes: number
  /** Unsent bytes above which one more pushed event (an observable's), or one more answer to a call, cuts the socket.
   *  Answers have the wider bound: no more than `callsInFlight` can be owed to a socket that is paused, and a healthy
   *  one that asks for many large pages at once must not be cut for the time they take to travel. */
  cutBytes: number
  cutAnswerBytes: number
  /** Unsent bytes of all sockets of one user, of one client address, and of this server, above which those that owe most
   *  are cut. Looked at at each tick, four times a second with the defaults. */
  unsentPerUser: number
  unsentPerAddress: number
  unsent: number
  /** A peer that takes nothing of what is sent for so long is cut, whatever it says meanwhile. */
  takeMs: number
  /** From the sending of a close frame to the cutting of a peer that does not answer it. */
  closeWaitMs: number
  /** Between telling a client to reconnect and closing its socket: time to move its subscriptions without a gap. */
  handOffMs: number
}

export const socketDefaults: SocketLimits = {
  maxFrameBytes,
  maxJsonDepth: 32,
  maxBatch,
  socketsPerUser: 20,
  socketsPerAddress: 200,
  socketsPerSite: 800,
  sockets: 10_000,
  subscriptions: 100,
  subscriptionsPerUser: 100,
  callsInFlight: 16,
  callsQueued: 64,
  signInMs: 10_000,
  anonymousMs: 60_000,
  rejectMs: 1_000,
  pingMs: 25_000,
  pongMs: 10_000,
  pauseBytes: 256 * 1024,
  cutBytes: 1024 * 1024,
  cutAnswerBytes: 8 * 1024 * 1024,
  unsentPerUser: 16 * 1024 * 1024,
  unsentPerAddress: 48 * 1024 * 1024,
  unsent: 256 * 1024 * 1024,
  takeMs: 30_000,
  closeWaitMs: 1_000,
  handOffMs: 5_000,
}

/** Fragments of one message, and pieces of one that TCP may deliver. Clients send one, slow links a hundred. Without
 *  these bounds a message sent byte by byte costs hundreds of times its size. */
export const maxFragments = 128
export const maxBufferedChunks = 1_024

/** Frames that may wait for a paused socket. Reading stops with the chunk that node has already read (64 KiB), which
 *  holds at most this many real calls; only junk is smaller. */
export const maxHeldFrames = 2_048

/** Characters of a request id. It is repeated in every answer, so a long one would multiply what a client sends. */
export const maxIdLength = 256
