/** How often a node is heard, and what is made of its silence; milliseconds. */
export interface ChannelTimes {
  /** A node that has nothing to say says so this often. */
  beatMs: number
  /** After this silence what a node says counts as missed: until it is heard, or known to have died. */
  silentMs: number
  /** After this silence its people count as gone. */
  leaseMs: number
  /** After this time without an answer the connections to Redis are made anew. */
  stuckMs: number
}

export const channelDefaults: ChannelTimes = { beatMs: 500, silentMs: 2_000, leaseMs: 30_000, stuckMs: 5_000 }

interface Peer {
  /** The number of its next batch; null: it was never heard. */
  next: number | null
  heardAt: number
  /** Its people count as gone. */
  lost: boolean
}

/**
 * What is known of the other nodes by hearing them alone. It keeps no time of its own: whoever asks says what time it is
 * by this node's clock, and no other's.
 */
export const createPeers = ({ silentMs, leaseMs }: ChannelTimes) => {
  const peers = new Map<string, Peer>()
  /** Those who said goodbye, since the store may still name them. */
  const departed = new Set<string>()

  return {
    /** @returns `hole` where something of this node was missed before this batch; `old` for one that came before */
    heard(node: string, number: number, now: number): 'follows' | 'hole' | 'old' {
      const peer = peers.get(node)
      if (!peer) {
        peers.set(node, { next: number + 1, heardAt: now, lost: false })
        return number === 1 ? 'follows' : 'hole'
      }
      peer.heardAt = now
      if (peer.next !== null && number < peer.next) return 'old'
      const follows = !peer.lost && (peer.next === null || peer.next === number)
      Object.assign(peer, { next: number + 1, lost: false })
      return follows ? 'follows' : 'hole'
    },

    /** It stops in good order, and will never be heard again. */
    depart(node: string) {
      peers.delete(node)
      departed.add(node)
      if (departed.size > 1_000) departed.delete(departed.values().next().value as string)
    },

    /** Time in which nobody could be heard, since this process or its clock stood still or jumped. */
    excuse(ms: number) {
      for (const peer of peers.values()) peer.heardAt += ms
    },

    names: () => [...peers.keys()],

    isAnySilent: (now: number) => Array.from(peers.values()).some(({ heardAt }) => now - heardAt > silentMs),

    /** @returns those whose lease has run out since the last time, and when they were last heard */
    takeLost(now: number): { node: string; heardAt: number }[] {
      const lost = Array.from(peers).filter(([, peer]) => !peer.lost && now - peer.heardAt > leaseMs)
      for (const [, peer] of lost) peer.lost = true
      return lost.map(([node, { heardAt }]) => ({ node, heardAt }))
    },

    /**
     * The store knows who is at work: whoever is lost and not among them has died, and is forgotten; whoever is among
     * them and was never heard is one to listen for. @returns whom we forgot, and who is at work and cannot be heard
     */
    settle(atWork: string[], now: number): { died: string[]; unheard: string[] } {
      const died = Array.from(peers, ([node, { lost }]) => (lost && !atWork.includes(node) ? node : null))
      for (const node of died) if (node !== null) peers.delete(node)
      for (const node of atWork) {
        if (!peers.has(node) && !departed.has(node)) peers.set(node, { next: null, heardAt: now - leaseMs, lost: true })
      }
      return {
        died: died.filter((node) => node !== null),
        unheard: atWork.filter((node) => peers.get(node)?.lost),
      }
    },
  }
}

export type Peers = ReturnType<typeof createPeers>
