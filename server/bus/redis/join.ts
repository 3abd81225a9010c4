import type { Bus, Clock, Log, NodeStore, Presence, RateLimiter } from '../../domain/ports.ts'
import type { LocalRates } from '../../domain/rates.ts'
import { createRedisBus } from './bus.ts'
import { openChannel } from './channel.ts'
import { connectRedis } from './connections.ts'
import { keepRoll } from './node-roll.ts'
import { type ChannelTimes, channelDefaults } from './peers.ts'
import { createRedisPresence } from './presence.ts'
import { createRedisRates } from './rates.ts'

export interface Joined {
  bus: Bus
  presence: Presence
  /** The same limits over all nodes. */
  shareRates(local: LocalRates): RateLimiter
  /** What does not work at the moment, in a sentence; null: nothing. */
  trouble(): string | null
  /** Says goodbye to the other nodes. */
  close(): Promise<void>
}

/**
 * Joins this node with those that work on the same store.
 * @throws Error in plain words where Redis cannot be used
 */
export const joinNodes = async ({
  url,
  store,
  clock,
  log,
  times,
}: {
  url: string
  store: NodeStore
  clock: Clock
  log: Log
  times: Partial<ChannelTimes>
}): Promise<Joined> => {
  const connections = await connectRedis({ url, log })
  try {
    // By the store's own name: several Parleys may share one Redis, and must not hear of each other's people.
    const prefix = `parley:${await store.storeId()}:`
    const channel = await openChannel({
      name: `${prefix}nodes`,
      connections,
      url,
      clock,
      log,
      times: { ...channelDefaults, ...times },
    })
    const bus = createRedisBus(channel)
    const presence = createRedisPresence(channel, clock)
    const roll = keepRoll({ store, channel, clock, log })
    await roll.signed
    await channel.hearAll()
    log.info({ node: channel.node }, 'joined the other nodes')
    return {
      bus,
      presence,
      shareRates: (local) =>
        createRedisRates({
          redis: connections.commands,
          prefix: `${prefix}rate:`,
          local,
          clock,
          isHeard: () => connections.commands.status === 'ready' && channel.hearsItself(),
        }),
      trouble: () =>
        connections.trouble() ??
        (channel.whole()
          ? null
          : 'Some nodes are not heard through Redis at the moment; what happens there is seen later.'),
      async close() {
        await roll.close()
        await channel.close()
        connections.close()
      },
    }
  } catch (error) {
    connections.close()
    throw error
  }
}
