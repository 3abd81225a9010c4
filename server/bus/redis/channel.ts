import { randomBytes } from 'node:crypto'
import type { Clock, Log, Timer } from '../../domain/ports.ts'
import type { RedisConnections } from './connections.ts'
import { createEcho } from './echo.ts'
import { explainRedis } from './explain.ts'
import { createHeartbeat } from './heartbeat.ts'
import { createIncoming, goodbye, type OnGone, type OnHole, type OnLine } from './incoming.ts'
import { createOutgoing } from './outgoing.ts'
import { type ChannelTimes, createPeers } from './peers.ts'
import { createSubscription } from './subscription.ts'
import { createWholeness } from './wholeness.ts'

/** How long it may take at the start until this node has heard itself. */
const proofMs = 5_000
/** How long the start waits for the other nodes; one that died a moment ago would never come. */
const hearAllMs = 2_000

/**
 * The one channel on which all nodes of a store speak and listen. What a node says in one turn of the event loop is one
 * batch, numbered, so that who misses one knows it; everybody hears everything, and passes over what does not concern her
 * people. A node also hears itself, and so knows when it hears nobody.
 */
export interface NodeChannel {
  /** This node, for as long as its process lives. */
  readonly node: string
  /** To all other nodes. @param head, body without line ends and tabs, as JSON is */
  send(topic: string, head: string, body: string): void
  on(topic: string, onLine: OnLine): void
  /** Something that this node said was missed, or (null) that any of them said. */
  onHole(onHole: OnHole): void
  /** A node has stopped in good order, or (`died`) was not heard for as long as its lease. */
  onGone(onGone: OnGone): void
  /** The other nodes, as far as they were heard. */
  others(): string[]
  /** Whether all other nodes are heard, and this one. */
  whole(): boolean
  /** Resolves once all are heard, or not in time: for the start, so that whoever listens first is not told of a gap. */
  hearAll(): Promise<void>
  /** Whether Redis passes on what this node says. */
  hearsItself(): boolean
  /** Who is at work, as the store says. @returns those of them who cannot be heard */
  settle(atWork: string[]): string[]
  /** Says goodbye. The connections stay open. */
  close(): Promise<void>
}

/** @throws Error in plain words where this node does not hear itself */
export const openChannel = async ({
  name,
  connections,
  url,
  clock,
  times,
  log,
}: {
  name: string
  connections: RedisConnections
  /** For the words of errors alone. */
  url: string
  clock: Clock
  times: ChannelTimes
  log: Log
}): Promise<NodeChannel> => {
  const { commands, subscriber, reconnect } = connections
  const node = randomBytes(8).toString('base64url')
  const peers = createPeers(times)
  const echo = createEcho(clock, times)
  const outgoing = createOutgoing({ name, node, commands, onPublish: echo.sent })
  const incoming = createIncoming({ node, peers, clock, log, onEcho: echo.heard })
  const subscription = createSubscription({
    name,
    subscriber,
    onText(text) {
      if (incoming.hear(text) && !wholeness.isWhole()) wholeness.judge()
    },
    // The numbers stay: what a peer says before its own connection is back is lost after this, and shows as a hole.
    onOpen: () => incoming.tellHole(null, 'gap'),
    onLost() {
      echo.forget()
      wholeness.judge()
    },
  })
  const hearsItself = () => subscription.isOpen() && echo.isRecent()
  const wholeness = createWholeness({
    node,
    clock,
    log,
    isEverybodyHeard: () => hearsItself() && !peers.isAnySilent(clock.now()),
  })
  const heartbeat = createHeartbeat(clock, times.beatMs, (offMs) => {
    // A late turn, or a clock that was set, says nothing of the others; this node has yet to hear itself again.
    if (Math.abs(offMs) > times.beatMs) {
      peers.excuse(offMs)
      echo.startOver()
    }
    outgoing.beat()
    for (const { node: lost, heardAt } of peers.takeLost(clock.now())) {
      log.warn({ lost }, 'a node was not heard for as long as its lease; its people count as gone')
      incoming.tellGone(lost, { died: true, heardAt: new Date(heardAt) })
    }
    wholeness.judge()
    if (echo.isStuck()) reconnect()
  })

  const hearSelf = async () => {
    await subscription.open()
    await outgoing.first()
    await echo.first
  }
  const notPassedOn = new Error('it does not pass on what this node publishes')
  await inTime(clock, proofMs, hearSelf(), notPassedOn).catch((error: unknown) => {
    throw new Error(explainRedis(error, url))
  })
  subscription.keep()
  const sayNumber = () => void outgoing.flush()
  commands.on('ready', sayNumber)
  wholeness.judge()
  heartbeat.start()

  return {
    node,
    send: outgoing.add,
    on: incoming.on,
    onHole: incoming.onHole,
    onGone: incoming.onGone,
    others: peers.names,
    whole: wholeness.isWhole,
    hearAll: () => wholeness.wait(hearAllMs),
    hearsItself,
    settle(atWork) {
      const others = atWork.filter((name) => name !== node)
      const { died, unheard } = peers.settle(others, clock.now())
      for (const dead of died) incoming.tellHole(dead, 'oldGap')
      wholeness.judge()
      return unheard
    },
    async close() {
      wholeness.close()
      heartbeat.stop()
      subscription.stop()
      commands.off('ready', sayNumber)
      outgoing.add(goodbye, '', '')
      await outgoing.flush()
    },
  }
}

/** @throws what `work` throws, or `lateError` after `ms` */
const inTime = async (clock: Clock, ms: number, work: Promise<void>, lateError: Error): Promise<void> => {
  let timer: Timer | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = clock.setTimeout(() => reject(lateError), ms)
  })
  try {
    await Promise.race([work, late])
  } finally {
    timer?.cancel()
  }
}
