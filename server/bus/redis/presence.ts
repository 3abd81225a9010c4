import type { UserId } from '../../contract/index.ts'
import type { Clock, Presence } from '../../domain/ports.ts'
import { countConnections, graceMs } from '../connected-here.ts'
import { gatherChanges, gatherMs } from '../presence-changes.ts'
import type { NodeChannel } from './channel.ts'
import { createPresenceTable } from './presence-table.ts'

/** What was asked and not answered is asked again after this time. */
const askAgainMs = 1_000

type Dated = [userId: UserId, ms: number]
/** Who came to a node and who went since it last told. */
interface Moves {
  came: Dated[]
  went: Dated[]
}

/**
 * Each node tells the others who came to it and who went, gathered over a moment, and on asking who is there; nothing of
 * it is kept in Redis, so nothing can be left behind there. Who was connected to a node that is not heard for as long as
 * its lease counts as gone.
 */
export const createRedisPresence = (channel: NodeChannel, clock: Clock): Presence => {
  const changes = gatherChanges(clock)
  const table = createPresenceTable(changes.tell)

  let moved = new Map<UserId, { came: boolean; at: number }>()
  const noteMove = (userId: UserId, came: boolean, at: Date) => {
    if (moved.size === 0) clock.setTimeout(tellMoves, gatherMs)
    moved.set(userId, { came, at: at.getTime() })
  }
  const tellMoves = () => {
    const dated = (wanted: boolean): Dated[] =>
      Array.from(moved, ([userId, { came, at }]): Dated | null => (came === wanted ? [userId, at] : null)).filter(
        (move) => move !== null,
      )
    channel.send('moves', '', JSON.stringify({ came: dated(true), went: dated(false) } satisfies Moves))
    moved = new Map()
  }
  const { users, connect } = countConnections(clock, {
    came(userId, since) {
      table.add(channel.node, userId, since, true)
      noteMove(userId, true, since)
    },
    went(userId, at) {
      table.remove(channel.node, userId, at, true)
      noteMove(userId, false, at)
    },
  })

  let isListDue = false
  /** Asked by many at once, it answers all with one list. */
  const list = () => {
    if (isListDue) return
    isListDue = true
    clock.setTimeout(() => {
      isListDue = false
      const here = Array.from(users, ([userId, { since }]): Dated => [userId, since.getTime()])
      channel.send('here', '', JSON.stringify(here))
    }, gatherMs)
  }

  /** Nodes of which moves were missed, until their list has come. */
  const unlisted = new Set<string>()
  let isAsking = false
  const ask = () => {
    isAsking = unlisted.size > 0
    if (!isAsking) return
    channel.send('ask', '', '')
    // Questions and answers may be lost as well.
    clock.setTimeout(ask, askAgainMs)
  }
  const askFor = (nodes: string[]) => {
    for (const node of nodes) unlisted.add(node)
    if (!isAsking) ask()
  }

  channel.on('moves', (node, { body }) => {
    const { came, went } = JSON.parse(body) as Moves
    for (const [userId, ms] of came) table.add(node, userId, new Date(ms), false)
    for (const [userId, ms] of went) table.remove(node, userId, new Date(ms), false)
  })
  channel.on('here', (node, { body }) => {
    unlisted.delete(node)
    const here = (JSON.parse(body) as Dated[]).map(([userId, ms]): [UserId, Date] => [userId, new Date(ms)])
    table.replace(node, here, new Date(clock.now()), false)
  })
  channel.on('ask', list)
  channel.onHole((node) => askFor(node === null ? channel.others() : [node]))
  channel.onGone((node, { died, heardAt }) => {
    unlisted.delete(node)
    // For one that died, those that live store when its people were last seen.
    const leave = () => table.replace(node, [], heardAt, died)
    // Who was connected to a node that stops is on her way to another one.
    if (died) leave()
    else clock.setTimeout(leave, graceMs)
  })
  askFor(channel.others())

  return {
    connect,
    online: () => table.online,
    here: () => [...users.keys()],
    listen: changes.listen,
  }
}
