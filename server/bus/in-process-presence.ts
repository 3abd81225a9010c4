import type { Clock, Presence } from '../domain/ports.ts'
import { countConnections } from './connected-here.ts'
import { gatherChanges } from './presence-changes.ts'

/** Counts the connections of a single node. */
export const createInProcessPresence = (clock: Clock): Presence => {
  const changes = gatherChanges(clock)
  const { users, connect } = countConnections(clock, {
    came: (userId, since) => changes.tell({ userId, online: true, at: since, here: true }),
    went: (userId, at) => changes.tell({ userId, online: false, at, here: true }),
  })
  return { connect, online: () => users, here: () => [...users.keys()], listen: changes.listen }
}
