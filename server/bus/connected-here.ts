import type { UserId } from '../contract/index.ts'
import type { Clock, Timer } from '../domain/ports.ts'

/** Who comes back within this time after her last connection ended was never away. */
export const graceMs = 5_000

interface Here {
  since: Date
  connections: number
  leaving: Timer | null
}

/** Counts the connections of this node, over all devices of a user; told when the first comes and when none is left. */
export const countConnections = (
  clock: Clock,
  { came, went }: { came(userId: UserId, since: Date): void; went(userId: UserId, at: Date): void },
) => {
  const users = new Map<UserId, Here>()

  const leave = (userId: UserId) => {
    const user = users.get(userId)
    if (!user || --user.connections > 0) return
    const at = new Date(clock.now())
    user.leaving = clock.setTimeout(() => {
      users.delete(userId)
      went(userId, at)
    }, graceMs)
  }

  return {
    users: users as ReadonlyMap<UserId, { since: Date }>,
    /** @returns a function that takes the connection back */
    connect(userId: UserId) {
      const user = users.get(userId)
      if (user) {
        user.leaving?.cancel()
        user.leaving = null
        user.connections++
      } else {
        const since = new Date(clock.now())
        users.set(userId, { since, connections: 1, leaving: null })
        came(userId, since)
      }
      let connected = true
      return () => {
        if (connected) leave(userId)
        connected = false
      }
    },
  }
}
