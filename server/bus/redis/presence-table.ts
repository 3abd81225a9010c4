import type { UserId } from '../../contract/index.ts'
import type { PresenceChange } from '../../domain/ports.ts'

interface Person {
  /** Since when she is at the node where she is longest. */
  since: Date
  nodes: Map<string, Date>
}

/** Who is connected to which nodes. `here` is passed on to whoever hears of the change. */
export const createPresenceTable = (tell: (change: PresenceChange) => void) => {
  const people = new Map<UserId, Person>()
  const byNode = new Map<string, Set<UserId>>()

  const add = (node: string, userId: UserId, since: Date, here: boolean) => {
    const names = byNode.get(node) ?? new Set()
    byNode.set(node, names.add(userId))
    const person = people.get(userId)
    if (person) {
      person.nodes.set(node, since)
      person.since = earliest(person.nodes)
      return
    }
    people.set(userId, { since, nodes: new Map([[node, since]]) })
    tell({ userId, online: true, at: since, here })
  }
  const remove = (node: string, userId: UserId, at: Date, here: boolean) => {
    const names = byNode.get(node)
    names?.delete(userId)
    if (names?.size === 0) byNode.delete(node)
    const person = people.get(userId)
    if (!person?.nodes.delete(node)) return
    if (person.nodes.size > 0) {
      person.since = earliest(person.nodes)
      return
    }
    people.delete(userId)
    tell({ userId, online: false, at, here })
  }

  return {
    online: people as ReadonlyMap<UserId, { since: Date }>,
    add,
    remove,
    /** These are at the node, and nobody else. */
    replace(node: string, now: [UserId, Date][], at: Date, here: boolean) {
      const names = new Set(now.map(([userId]) => userId))
      for (const userId of [...(byNode.get(node) ?? [])]) if (!names.has(userId)) remove(node, userId, at, here)
      for (const [userId, since] of now) add(node, userId, since, here)
    },
  }
}

const earliest = (nodes: Map<string, Date>): Date =>
  [...nodes.values()].reduce((first, since) => (since < first ? since : first))
