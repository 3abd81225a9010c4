import type { NodeStore } from '../../domain/ports.ts'
import type { Reads } from './reads.ts'

/** One process has the file to itself, so that who is at work in it is known in its memory. */
export const nodeStore = (reads: Reads): NodeStore => {
  const storeId = reads.prepare<string>('SELECT json_quote(id) FROM store')
  const endedSessions = reads.prepare<[tokenHash: string, version: number][]>(
    'SELECT json_group_array(json_array(token_hash, version)) FROM ended_session WHERE version > ?',
  )
  const nodes = new Map<string, Date>()

  return {
    storeId,
    endedSessions: async (after) =>
      (await endedSessions(after)).map(([tokenHash, version]) => ({ tokenHash, version })),
    async keepNode(node, at) {
      nodes.set(node, at)
    },
    async removeNode(node) {
      nodes.delete(node)
    },
    nodesSince: async (since) => Array.from(nodes).flatMap(([node, at]) => (at >= since ? [node] : [])),
  }
}
