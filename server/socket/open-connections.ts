import { TRPCError } from '@trpc/server'
import type { ServerConnection } from './connection.ts'
import type { SocketLimits } from './limits.ts'

/** The open connections of a server, counted by address and by user. */
export const createOpenConnections = (
  limits: Pick<SocketLimits, 'sockets' | 'socketsPerAddress' | 'socketsPerUser'>,
) => {
  const connections = new Set<ServerConnection>()
  const perAddress = createCounts()
  const perUser = createCounts()
  let onEmpty = () => {}

  return {
    all: connections as ReadonlySet<ServerConnection>,
    userCount: perUser.size,
    isFull: () => connections.size >= limits.sockets,
    isFullFor: (address: string) => perAddress.of(address) >= limits.socketsPerAddress,
    add(connection: ServerConnection, address: string) {
      connections.add(connection)
      perAddress.add(address)
    },
    /** A connection of `before` (undefined: of nobody yet) is now one of `user`. @throws TRPCError `TOO_MANY_REQUESTS` */
    identify(user: string, before: string | undefined) {
      if (before === user) return
      if (perUser.of(user) >= limits.socketsPerUser) {
        throw new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'Too many connections of this user' })
      }
      if (before !== undefined) perUser.remove(before)
      perUser.add(user)
    },
    remove(connection: ServerConnection, address: string, user: string | undefined) {
      connections.delete(connection)
      perAddress.remove(address)
      if (user !== undefined) perUser.remove(user)
      if (connections.size === 0) onEmpty()
    },
    /** Resolves when none is left. */
    emptied: () =>
      new Promise<void>((resolve) => {
        onEmpty = resolve
        if (connections.size === 0) resolve()
      }),
  }
}

const createCounts = () => {
  const counts = new Map<string, number>()
  const of = (key: string): number => counts.get(key) ?? 0
  return {
    size: () => counts.size,
    of,
    add(key: string) {
      counts.set(key, of(key) + 1)
    },
    remove(key: string) {
      const left = of(key) - 1
      if (left > 0) counts.set(key, left)
      else counts.delete(key)
    },
  }
}
