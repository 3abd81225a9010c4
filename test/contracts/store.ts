import { describe } from 'vitest'
import { accountTests } from './store-accounts.ts'
import { changeTests } from './store-changes.ts'
import { editTests } from './store-edits.ts'
import { followTests } from './store-follow.ts'
import { knownNetworkTests } from './store-known-networks.ts'
import { lifeTests } from './store-life.ts'
import { memberTests } from './store-members.ts'
import { messageTests } from './store-messages.ts'
import { receiptTests } from './store-receipts.ts'
import { replayTests } from './store-replays.ts'
import { unreadTests } from './store-unread.ts'
import { walkTests } from './store-walk.ts'
import { type OpenedStore, useStoreWorld } from './store-world.ts'

export { draft, type OpenedStore } from './store-world.ts'

/**
 * What every store keeps, sentence by sentence of the port. Versions may be inexact (`overlap`): then a reader who reads
 * on may get again what changed within the overlap, and never misses anything.
 */
export const storeContract = (name: string, open: () => Promise<OpenedStore>): void => {
  describe(`the ${name} store`, () => {
    const world = useStoreWorld(open)
    messageTests(world)
    editTests(world)
    receiptTests(world)
    changeTests(world)
    replayTests(world)
    memberTests(world)
    unreadTests(world)
    accountTests(world)
    knownNetworkTests(world)
    lifeTests(world)
    followTests(world)
    walkTests(world)
  })
}
