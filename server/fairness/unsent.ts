/** Bytes that were made for somebody and that she has not taken. */
export interface UnsentLimits {
  ofUser: number
  ofAddress: number
  inAll: number
}

/** A connection that has unsent bytes. */
export interface Debtor {
  readonly bytes: number
  readonly address: string
  readonly user: string | undefined
}

/**
 * Whom to cut so that the memory stays bounded: of whoever is over the limit those that owe most; and of all, where the process is
 * over its own, those at the addresses that owe most.
 */
export const overdrawn = <Connection extends Debtor>(connections: Connection[], limits: UnsentLimits): Connection[] => {
  const ofUsers = createSums(connections, ({ user }) => user)
  const ofAddresses = createSums(connections, ({ address }) => address)
  const inAll = createSums(connections, () => '')
  const mostFirst = connections.toSorted(
    (a, b) => ofAddresses.of(b) - ofAddresses.of(a) || ofUsers.of(b) - ofUsers.of(a) || b.bytes - a.bytes,
  )
  return mostFirst.filter((connection) => {
    const isOver =
      ofUsers.of(connection) > limits.ofUser ||
      ofAddresses.of(connection) > limits.ofAddress ||
      inAll.of(connection) > limits.inAll
    if (isOver) for (const sums of [ofUsers, ofAddresses, inAll]) sums.takeOff(connection)
    return isOver
  })
}

/** The bytes of all connections that have the same name. */
const createSums = <Connection extends Debtor>(
  connections: Connection[],
  nameOf: (connection: Connection) => string | undefined,
) => {
  const sums = new Map<string, number>()
  const add = (connection: Connection, bytes: number) => {
    const name = nameOf(connection)
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + bytes)
  }
  for (const connection of connections) add(connection, connection.bytes)
  return {
    of: (connection: Connection): number => sums.get(nameOf(connection) ?? nobody) ?? 0,
    takeOff: (connection: Connection) => add(connection, -connection.bytes),
  }
}

/** No user has this id. */
const nobody = ':'
