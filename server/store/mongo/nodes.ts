import type { NodeStore } from '../../domain/ports.ts'
import { inTime } from './errors.ts'
import { overlap, waitMaxMs } from './limits.ts'
import { find, findOne } from './reads.ts'
import { type Models, native } from './schema.ts'

/** A node that did not sign off is forgotten after this: it has long been dead. */
const forgottenMs = 24 * 3_600_000

/** What nodes tell each other through the database. */
export const nodeStore = ({ meta, nodes, endedSessions }: Models): NodeStore => {
  const writing = { maxTimeMS: waitMaxMs }
  let storeId: string | null = null

  return {
    async storeId() {
      storeId ??= (await findOne(meta, { _id: 'schema' }))?.storeId ?? null
      return storeId as string
    },

    async endedSessions(after) {
      const since = { version: { $gt: after - overlap } }
      const found = await find(endedSessions, since, { sort: { version: 1 } })
      return found.map(({ _id, version }) => ({ tokenHash: _id, version }))
    },

    async keepNode(node, at) {
      await inTime(native(nodes).updateOne({ _id: node }, { $max: { at } }, { upsert: true, ...writing }))
    },

    async removeNode(node) {
      await inTime(native(nodes).deleteOne({ _id: node }, writing))
      await inTime(native(nodes).deleteMany({ at: { $lt: new Date(Date.now() - forgottenMs) } }, writing))
    },

    async nodesSince(since) {
      const found = await find(nodes, { at: { $gte: since } })
      return found.map(({ _id }) => _id)
    },
  }
}
