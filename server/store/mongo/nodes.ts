import type { NodeStore } from '../../domain/ports.ts'
import { inTime } from './errors.ts'
import { overlap, waitMaxMs } from './limits.ts'
import type { Models } from './schema.ts'

/** A node that did not sign off is forgotten after this: it has long been dead. */
const forgottenMs = 24 * 3_600_000

/** What nodes tell each other through the database. */
export const nodeStore = ({ meta, nodes, endedSessions }: Models): NodeStore => {
  const { trusted } = nodes.base
  const reading = { lean: true, maxTimeMS: waitMaxMs } as const
  const writing = { maxTimeMS: waitMaxMs }
  let storeId: string | null = null

  return {
    async storeId() {
      storeId ??= (await inTime(meta.findById('schema', null, reading).exec()))?.storeId ?? null
      return storeId as string
    },

    async endedSessions(after) {
      const since = { version: trusted({ $gt: after - overlap }) }
      const found = await inTime(endedSessions.find(since, null, { ...reading, sort: { version: 1 } }).exec())
      return found.map(({ _id, version }) => ({ tokenHash: _id, version }))
    },

    async keepNode(node, at) {
      await inTime(nodes.updateOne({ _id: node }, { $max: { at } }, { upsert: true, ...writing }).exec())
    },

    async removeNode(node) {
      await inTime(nodes.deleteOne({ _id: node }, writing).exec())
      await inTime(nodes.deleteMany({ at: trusted({ $lt: new Date(Date.now() - forgottenMs) }) }, writing).exec())
    },

    async nodesSince(since) {
      const found = await inTime(nodes.find({ at: trusted({ $gte: since }) }, { _id: 1 }, reading).exec())
      return found.map(({ _id }) => _id)
    },
  }
}
