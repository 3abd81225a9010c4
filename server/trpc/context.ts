import { ChatError, type SignedIn, type UserId } from '../contract/index.ts'
import { sessionEndedCode } from '../contract/protocol.ts'
import { hashToken } from '../domain/accounts.ts'
import type { Chat } from '../domain/chat.ts'
import type { Clock } from '../domain/ports.ts'
import { throwAsTrpcError } from './errors.ts'
import { createSilentStreams } from './silent-streams.ts'

export interface Caller {
  userId: UserId
  tokenHash: string
}

/** What a procedure knows of its call. */
export interface Context {
  chat: Chat
  /** The client's address: what limits on strangers count by. */
  address: string
  /** Null: not signed in. */
  caller: Caller | null
  /** Signs the connection in, where there is one. @throws ChatError `badRequest` where it is somebody else's already */
  signIn(signedIn: SignedIn): void
}

/** What chat needs of a WebSocket. */
export interface Connection {
  readonly address: string
  readonly closed: AbortSignal
  identify(userId: string): void
  close(code: number, reason: string): void
}

const isSomebodyElses = new ChatError('badRequest', {
  message: 'This connection is signed in as somebody else; open another one.',
})

/** One context for the life of a WebSocket: `register` and `login` sign it in. */
export const createSocketContext =
  (chat: Chat) =>
  async ({
    connection,
    connectionParams,
  }: {
    connection: Connection
    connectionParams: Record<string, string | undefined> | null
  }): Promise<Context> => {
    const context: Context = {
      chat,
      address: connection.address,
      caller: null,
      signIn({ user: { userId }, session }) {
        if (context.caller?.userId === userId) return
        const tokenHash = hashToken(session.token)
        try {
          // Whoever asked would take this connection for hers, and speak as somebody else.
          if (context.caller !== null) throw isSomebodyElses
          attach(userId, tokenHash)
        } catch (error) {
          // Nobody gets to know its token.
          void chat.logout({ tokenHash }).catch(() => {})
          throw error
        }
      },
    }
    const attach = (userId: UserId, tokenHash: string) => {
      connection.identify(userId)
      if (connection.closed.aborted) return
      context.caller = { userId, tokenHash }
      const disconnect = chat.connect(userId)
      const unwatch = chat.watchSession({ tokenHash }, () => {
        // At the end of this turn, so that the answer to `logout` itself goes out first.
        setImmediate(() => connection.close(sessionEndedCode, 'The session has ended'))
      })
      connection.closed.addEventListener('abort', () => {
        unwatch()
        disconnect()
      })
    }
    const token = connectionParams?.token
    if (token !== undefined) {
      const { userId, tokenHash } = await chat.resumeSession(hashToken(token)).catch(throwAsTrpcError)
      attach(userId, tokenHash)
    }
    return context
  }

/** One context for each HTTP request. A stream counts as a connection of its user for as long as it lasts. */
export const createHttpContext = (chat: Chat, clock: Clock) => {
  const silentStreams = createSilentStreams(clock)
  return async ({
    authorization,
    address,
    identify,
    stream,
  }: {
    authorization: string | undefined
    address: string
    /** Told whose it is. @throws ChatError where she has too many */
    identify(userId: string): void
    /** For a subscription: when it ends, and how to end it. */
    stream: { closed: AbortSignal; close(): void } | null
  }): Promise<Context> => {
    const context: Context = { chat, address, caller: null, signIn() {} }
    if (authorization === undefined) return context
    const token = /^Bearer ([\w-]+)$/i.exec(authorization)?.[1]
    if (token === undefined) {
      throw new ChatError('sessionEnded', { message: 'The Authorization header is not "Bearer <token>".' })
    }
    const session = await chat.resumeSession(hashToken(token))
    context.caller = session
    identify(session.userId)
    if (stream === null) silentStreams.noteSign(session.tokenHash)
    else if (!stream.closed.aborted) {
      const disconnect = chat.connect(session.userId)
      const unwatch = chat.watchSession(session, stream.close)
      const unwatchSilence = silentStreams.watch(session.tokenHash, stream.close)
      stream.closed.addEventListener('abort', () => {
        unwatch()
        unwatchSilence()
        disconnect()
      })
    }
    return context
  }
}

export type CreateHttpContext = ReturnType<typeof createHttpContext>
