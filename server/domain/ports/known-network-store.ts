import type { UserId } from '../../contract/index.ts'

export interface KnownNetwork {
  userId: UserId
  /** SHA-256 of the user id and the network, base64url. */
  networkHash: string
  /** When the user last signed in from there. */
  seenAt: Date
}

/** From where users have signed in. */
export interface KnownNetworkStore {
  /** Of each user the `keep` newest ones are kept; `seenAt` never moves back. */
  rememberNetwork(network: KnownNetwork, keep: number): Promise<void>
  /** Null: it is not remembered that this user ever signed in from there. One lookup by key, whatever the answer. */
  networkSeenAt(userId: UserId, networkHash: string): Promise<Date | null>
  /** @returns how many. */
  deleteNetworksSeenBefore(before: Date): Promise<number>
}
