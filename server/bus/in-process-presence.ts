import type { Clock, Presence } from '../domain/ports.ts'
import { countConnections } from './connected-here.ts'
import { gatherChanges } from './presence-changes.ts'

/** Counts the connections of a single node. */
export const createInProcessPresence = (clock: Clock): Presence => {
  const changes = gatherChanges(clock)
  const { users, connect } = countConnections(clock, {
    came: (username, since) => changes.tell({ username, online: true, at: since, here: true }),
    went: (username, at) => changes.tell({ username, online: false, at, here: true }),
  })
  return { connect, online: () => users, here: () => [...users.keys()], listen: changes.listen }
}
