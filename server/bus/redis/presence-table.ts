import type { Username } from '../../contract/index.ts'
import type { PresenceChange } from '../../domain/ports.ts'

interface Person {
  /** Since when she is at the node where she is longest. */
  since: Date
  nodes: Map<string, Date>
}

/** Who is connected to which nodes. `here` is passed on to whoever hears of the change. */
export const createPresenceTable = (tell: (change: PresenceChange) => void) => {
  const people = new Map<Username, Person>()
  const byNode = new Map<string, Set<Username>>()

  const add = (node: string, username: Username, since: Date, here: boolean) => {
    const names = byNode.get(node) ?? new Set()
    byNode.set(node, names.add(username))
    const person = people.get(username)
    if (person) {
      person.nodes.set(node, since)
      person.since = earliest(person.nodes)
      return
    }
    people.set(username, { since, nodes: new Map([[node, since]]) })
    tell({ username, online: true, at: since, here })
  }
  const remove = (node: string, username: Username, at: Date, here: boolean) => {
    const names = byNode.get(node)
    names?.delete(username)
    if (names?.size === 0) byNode.delete(node)
    const person = people.get(username)
    if (!person?.nodes.delete(node)) return
    if (person.nodes.size > 0) {
      person.since = earliest(person.nodes)
      return
    }
    people.delete(username)
    tell({ username, online: false, at, here })
  }

  return {
    online: people as ReadonlyMap<Username, { since: Date }>,
    add,
    remove,
    /** These are at the node, and nobody else. */
    replace(node: string, now: [Username, Date][], at: Date, here: boolean) {
      const names = new Set(now.map(([username]) => username))
      for (const username of [...(byNode.get(node) ?? [])]) if (!names.has(username)) remove(node, username, at, here)
      for (const [username, since] of now) add(node, username, since, here)
    },
  }
}

const earliest = (nodes: Map<string, Date>): Date =>
  [...nodes.values()].reduce((first, since) => (since < first ? since : first))
