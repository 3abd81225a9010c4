import { TRPCError } from '@trpc/server'
import type { ServerConnection } from './connection.ts'
import type { SocketLimits } from './limits.ts'

/** The open connections of a server, counted by address, by the site that an address is in, and by user. */
export const createOpenConnections = (
  limits: Pick<
    SocketLimits,
    'sockets' | 'socketsPerSite' | 'socketsPerAddress' | 'socketsPerUser' | 'subscriptionsPerUser'
  >,
  siteOf: (address: string) => string | null,
) => {
  const connections = new Set<ServerConnection>()
  const perAddress = createCounts()
  const perSite = createCounts()
  const perUser = createCounts()
  const subscriptionsPerUser = createCounts()
  let onEmpty = () => {}

  return {
    all: connections as ReadonlySet<ServerConnection>,
    userCount: perUser.size,
    isFull: () => connections.size >= limits.sockets,
    isFullFor(address: string) {
      const site = siteOf(address)
      if (site !== null && perSite.of(site) >= limits.socketsPerSite) return true
      return perAddress.of(address) >= limits.socketsPerAddress
    },
    add(served: ServerConnection) {
      const { address } = served.connection
      connections.add(served)
      perAddress.add(address)
      const site = siteOf(address)
      if (site !== null) perSite.add(site)
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
    holdSubscription(user: string) {
      if (subscriptionsPerUser.of(user) >= limits.subscriptionsPerUser) return null
      subscriptionsPerUser.add(user)
      return () => subscriptionsPerUser.remove(user)
    },
    remove(served: ServerConnection) {
      const { user, connection } = served
      connections.delete(served)
      perAddress.remove(connection.address)
      const site = siteOf(connection.address)
      if (site !== null) perSite.remove(site)
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
