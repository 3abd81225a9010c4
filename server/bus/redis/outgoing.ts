import { writeBatch, writeLine } from './batch.ts'
import type { RedisConnections } from './connections.ts'

/** Bytes that may wait for a slow Redis to take them. What goes beyond is lost, and the next number tells the others. */
const waitingBytesMax = 32 * 1024 * 1024

/**
 * What this node publishes: all lines of one turn of the event loop as one batch, each batch numbered. While Redis is
 * away or too slow a batch is dropped, and the hole in the numbers tells the others.
 */
export const createOutgoing = ({
  name,
  node,
  commands,
  onPublish,
}: {
  /** Of the channel in Redis. */
  name: string
  node: string
  commands: RedisConnections['commands']
  /** This batch is about to be handed to Redis. */
  onPublish(number: number): void
}) => {
  let lines: string[] = []
  let number = 0
  let waitingBytes = 0
  let hasSpoken = false

  /** Publishes what waits, or an empty batch. Never rejects. */
  const flush = (): Promise<unknown> => {
    const said = lines
    lines = []
    number++
    hasSpoken = true
    const text = writeBatch(node, number, said)
    if (commands.status !== 'ready' || waitingBytes > waitingBytesMax) return Promise.resolve()
    waitingBytes += text.length
    onPublish(number)
    return commands
      .publish(name, text)
      .catch(() => {}) // The others miss this number, and this node does not hear it come back: both find out by that.
      .finally(() => {
        waitingBytes -= text.length
      })
  }

  return {
    /** Publishes the first batch, an empty one. @throws what Redis says */
    first: () => commands.publish(name, writeBatch(node, ++number, [])),
    add(topic: string, head: string, body: string) {
      if (lines.length === 0) queueMicrotask(() => void (lines.length > 0 && flush()))
      lines.push(writeLine(topic, head, body))
    },
    flush,
    /** Publishes an empty batch where nothing was published since the last beat, so that the others hear this node. */
    beat() {
      if (!hasSpoken) void flush()
      hasSpoken = false
    },
  }
}
