import type { Clock, Log, NodeStore, Timer } from '../../domain/ports.ts'
import type { NodeChannel } from './channel.ts'

const signMs = 10_000
/** Who has not signed for so long is not at work any more. */
const atWorkMs = 30_000

/**
 * Signs this node in the store, and asks it who else is at work: so a node that has died is told from one that Redis alone
 * does not reach, and that goes on writing unheard.
 */
export const keepRoll = ({
  store,
  channel,
  clock,
  log,
}: {
  store: NodeStore
  channel: NodeChannel
  clock: Clock
  log: Log
}) => {
  let timer: Timer | undefined
  let closed = false
  let unheardBefore: string[] = []

  const sign = async () => {
    await store.keepNode(channel.node, new Date(clock.now()))
    const unheard = channel.settle(await store.nodesSince(new Date(clock.now() - atWorkMs)))
    const still = unheard.filter((node) => unheardBefore.includes(node))
    unheardBefore = unheard
    if (still.length > 0)
      log.warn(
        { nodes: still },
        'nodes work on this store that Redis does not let us hear; do all have the same REDIS_URL, and does Redis run?',
      )
  }
  const signOn = (): Promise<void> =>
    sign()
      .catch((error: unknown) => log.warn({ error }, 'cannot ask the store which nodes are at work; trying again'))
      .finally(() => {
        if (!closed) timer = clock.setTimeout(() => void signOn(), signMs)
      })

  return {
    /** Resolves when it has signed for the first time, or could not. */
    signed: signOn(),
    async close() {
      closed = true
      timer?.cancel()
      await store.removeNode(channel.node).catch(() => {}) // Not signing any more says the same, a little later.
    },
  }
}
