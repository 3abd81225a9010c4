import type { KnownNetworkStore } from '../../domain/ports.ts'
import type { Commits } from './commits.ts'
import type { Reads } from './reads.ts'

export const knownNetworkStore = ({ write }: Commits, reads: Reads): KnownNetworkStore => {
  const seenAt = reads.prepare<number[]>(
    'SELECT json_group_array(seen_at) FROM known_network WHERE user_id = ? AND network_hash = ?',
  )
  return {
    rememberNetwork: (network, keep) => write(['rememberNetwork', network, keep], () => {}),
    async networkSeenAt(userId, networkHash) {
      const [at] = await seenAt(userId, networkHash)
      return at === undefined ? null : new Date(at)
    },
    deleteNetworksSeenBefore: (before) => write(['deleteNetworksSeenBefore', before.getTime()], (count) => count),
  }
}
