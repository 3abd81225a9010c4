import { randomBytes } from 'node:crypto'
import type { Clock, Gap, Log, Timer } from '../../domain/ports.ts'
import { type Line, readBatch, readLines, writeBatch, writeLine } from './batch.ts'
import type { RedisConnections } from './connections.ts'
import { explainRedis } from './explain.ts'
import { type ChannelTimes, createPeers } from './peers.ts'

/** What waits to be taken by a slow Redis. Past this it is lost, and the next number says so. */
const waitingBytesMax = 32 * 1024 * 1024
/** How long the proof at the start may take that this node hears itself. */
const proofMs = 5_000
/** Others are waited for at the start as long as this; one that died a moment ago would never come. */
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
  on(topic: string, onLine: (node: string, line: Line) => void): void
  /** Something that this node said was missed, or (null) that any of them said. */
  onHole(onHole: (node: string | null, gap: Gap) => void): void
  /** A node has stopped in good order, or (`died`) was not heard for as long as its lease. */
  onGone(onGone: (node: string, how: { died: boolean; heardAt: Date }) => void): void
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
  const onLines = new Map<string, (node: string, line: Line) => void>()
  const onHoles: ((node: string | null, gap: Gap) => void)[] = []
  const onGones: ((node: string, how: { died: boolean; heardAt: Date }) => void)[] = []

  let lines: string[] = []
  let number = 0
  let waitingBytes = 0
  let saidSinceBeat = false
  let subscribed = false
  /** Own batches on their way, and when the last that came back was sent: so long what is heard has taken. */
  let underWay: { number: number; sentAt: number }[] = []
  let heardSelfOf = clock.now()
  let onProof = () => {}
  let isWhole = false
  let onWhole = () => {}
  let closed = false

  const flush = (): Promise<unknown> => {
    const said = lines
    lines = []
    number++
    saidSinceBeat = true
    const text = writeBatch(node, number, said)
    if (commands.status !== 'ready' || waitingBytes > waitingBytesMax) return Promise.resolve()
    waitingBytes += text.length
    underWay.push({ number, sentAt: clock.now() })
    return commands
      .publish(name, text)
      .catch(() => {}) // The others miss this number, and ours is not heard here: both find out by that.
      .finally(() => {
        waitingBytes -= text.length
      })
  }
  const hearsItself = () => subscribed && clock.now() - heardSelfOf <= times.silentMs
  const judge = () => {
    const was = isWhole
    isWhole = hearsItself() && !peers.isAnySilent(clock.now())
    if (was && !isWhole && !closed) log.warn({ node }, 'some nodes are not heard; their news are read from the store')
    if (was || !isWhole) return
    log.info({ node }, 'all nodes are heard')
    onWhole()
  }
  const hole = (whose: string | null, gap: Gap = 'gap') => {
    for (const onHole of onHoles) onHole(whose, gap)
  }

  /** A line that cannot be read, of a newer Parley perhaps, is one that was missed. */
  const take = (from: string, line: Line) => {
    try {
      onLines.get(line.topic)?.(from, line)
    } catch (error) {
      log.warn({ from, topic: line.topic, error }, 'what a node said cannot be read')
      hole(from)
    }
  }
  const hear = (text: string) => {
    const batch = readBatch(text)
    if (!batch) return
    if (batch.node === node) {
      const back = underWay.findLastIndex(({ number }) => number <= batch.number)
      heardSelfOf = underWay[back]?.sentAt ?? heardSelfOf
      underWay = underWay.slice(back + 1)
      onProof()
    } else {
      const order = peers.heard(batch.node, batch.number, clock.now())
      if (order === 'old') return
      if (order === 'hole') hole(batch.node)
      for (const line of readLines(text)) {
        if (line.topic === 'goodbye') {
          peers.depart(batch.node)
          for (const onGone of onGones) onGone(batch.node, { died: false, heardAt: new Date(clock.now()) })
        } else take(batch.node, line)
      }
    }
    if (!isWhole) judge()
  }

  const subscribe = async () => {
    await subscriber.subscribe(name)
    subscribed = true
    // The numbers stay: what a peer says before its own connection is back is lost after this, and shows as a hole.
    hole(null)
  }
  const resubscribe = () => void subscribe().catch(() => {}) // The connection is gone again, and will come again.
  const sayNumber = () => void flush()
  const away = () => {
    subscribed = false
    underWay = []
    judge()
  }
  subscriber.on('message', (_channel, text) => hear(text))

  let expectedAt = 0
  let reconnectedAt = Number.NEGATIVE_INFINITY
  let timer: Timer | undefined
  const beat = () => {
    const now = clock.now()
    // A late turn, or a clock that was set, says nothing of the others; this node has yet to hear itself again.
    const offMs = now - expectedAt
    if (Math.abs(offMs) > times.beatMs) {
      peers.excuse(offMs)
      underWay = []
      heardSelfOf = now - times.silentMs - 1
    }
    if (!saidSinceBeat) sayNumber()
    saidSinceBeat = false
    for (const { node: lost, heardAt } of peers.takeLost(now)) {
      log.warn({ lost }, 'a node was not heard for as long as its lease; its people count as gone')
      for (const onGone of onGones) onGone(lost, { died: true, heardAt: new Date(heardAt) })
    }
    judge()
    // A peer that vanished without a word leaves connections on which nothing comes, for a quarter of an hour.
    if (Math.abs(now - Math.max(heardSelfOf, reconnectedAt)) > times.stuckMs) {
      reconnectedAt = now
      reconnect()
    }
    scheduleBeat()
  }
  const scheduleBeat = () => {
    expectedAt = clock.now() + times.beatMs
    timer = clock.setTimeout(beat, times.beatMs)
  }

  const proof = new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(
      () => reject(new Error(explainRedis(new Error('it does not pass on what this node publishes'), url))),
      proofMs,
    )
    onProof = () => {
      clearTimeout(deadline)
      onProof = () => {}
      resolve()
    }
  })
  proof.catch(() => {})
  try {
    await subscribe()
    await commands.publish(name, writeBatch(node, ++number, []))
    await proof
  } catch (error) {
    onProof()
    throw error instanceof Error && error.message.startsWith('Redis cannot be used')
      ? error
      : new Error(explainRedis(error, url))
  }
  // Only from here on: the first time is above, with its errors for whoever starts.
  subscriber.on('ready', resubscribe)
  subscriber.on('close', away)
  commands.on('ready', sayNumber)
  judge()
  scheduleBeat()

  return {
    node,
    send(topic, head, body) {
      if (lines.length === 0) queueMicrotask(() => void (lines.length > 0 && flush()))
      lines.push(writeLine(topic, head, body))
    },
    on: (topic, onLine) => void onLines.set(topic, onLine),
    onHole: (onHole) => void onHoles.push(onHole),
    onGone: (onGone) => void onGones.push(onGone),
    others: peers.names,
    whole: () => isWhole,
    hearAll: () =>
      new Promise((resolve) => {
        if (isWhole) return resolve()
        const timer = setTimeout(resolve, hearAllMs)
        onWhole = () => {
          clearTimeout(timer)
          onWhole = () => {}
          resolve()
        }
      }),
    hearsItself,
    settle(atWork) {
      const { died, unheard } = peers.settle(
        atWork.filter((name) => name !== node),
        clock.now(),
      )
      for (const dead of died) hole(dead, 'oldGap')
      judge()
      return unheard
    },
    async close() {
      closed = true
      timer?.cancel()
      subscriber.off('ready', resubscribe)
      commands.off('ready', sayNumber)
      subscriber.off('close', away)
      lines.push(writeLine('goodbye', '', ''))
      await flush()
    },
  }
}
