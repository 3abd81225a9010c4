import type { Clock, Gap, Log } from '../../domain/ports.ts'
import { type Line, readBatch, readLines } from './batch.ts'
import type { Peers } from './peers.ts'

/** Says that the node which sends it stops in good order. */
export const goodbye = 'goodbye'

export type OnLine = (node: string, line: Line) => void
export type OnHole = (node: string | null, gap: Gap) => void
export type OnGone = (node: string, how: { died: boolean; heardAt: Date }) => void

/** What is heard on the channel, given out to whoever listens here: lines by their topic, holes, and nodes that went. */
export const createIncoming = ({
  node: self,
  peers,
  clock,
  log,
  onEcho,
}: {
  node: string
  peers: Peers
  clock: Clock
  log: Log
  /** A batch of this node has come back. */
  onEcho(number: number): void
}) => {
  const onLines = new Map<string, OnLine>()
  const onHoles: OnHole[] = []
  const onGones: OnGone[] = []

  const tellHole: OnHole = (node, gap) => {
    for (const onHole of onHoles) onHole(node, gap)
  }
  const tellGone: OnGone = (node, how) => {
    for (const onGone of onGones) onGone(node, how)
  }

  const hearLine = (node: string, line: Line) => {
    if (line.topic === goodbye) {
      peers.depart(node)
      return tellGone(node, { died: false, heardAt: new Date(clock.now()) })
    }
    try {
      onLines.get(line.topic)?.(node, line)
    } catch (error) {
      // A line that cannot be read, from a newer Parley perhaps, is as good as missed.
      log.warn({ from: node, topic: line.topic, error }, 'what a node said cannot be read')
      tellHole(node, 'gap')
    }
  }

  return {
    /** @returns whether it was a batch, and one that had not been heard before */
    hear(text: string): boolean {
      const batch = readBatch(text)
      if (!batch) return false
      const { node, number } = batch
      if (node === self) {
        onEcho(number)
        return true
      }
      const order = peers.heard(node, number, clock.now())
      if (order === 'old') return false
      if (order === 'hole') tellHole(node, 'gap')
      for (const line of readLines(text)) hearLine(node, line)
      return true
    },
    on: (topic: string, onLine: OnLine) => void onLines.set(topic, onLine),
    onHole: (onHole: OnHole) => void onHoles.push(onHole),
    onGone: (onGone: OnGone) => void onGones.push(onGone),
    tellHole,
    tellGone,
  }
}
