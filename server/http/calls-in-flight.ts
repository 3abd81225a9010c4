import type { IncomingMessage, ServerResponse } from 'node:http'
import { ChatError } from '../contract/index.ts'
import { type Counts, createAddressCounts, createCounts } from './counts.ts'

/** A user's five full batches; and as many users at one address as may well be at once behind a router. */
const perUserMax = 100
const perAddressMax = 200

/** @throws ChatError `rateLimited`, here for the address and in `identify` for the user */
export type BeginCalls = (
  req: IncomingMessage,
  res: ServerResponse,
  count: number,
) => { address: string; identify(userId: string): void }

/**
 * Bounds the calls whose answers have not left: whoever asks and does not read would fill the memory with answers. A batch
 * counts as its calls, each until the answer of all was handed to the network.
 */
export const createCallsInFlight = (clientAddress: (req: IncomingMessage) => string): BeginCalls => {
  const perUser = createCounts()
  const perAddress = createAddressCounts()
  return (req, res, count) => {
    const address = clientAddress(req)
    const begin = (counts: Counts, key: string, max: number) => {
      // She left while it was looked up whose it is, and nothing would take it off again.
      if (res.destroyed) return
      if (!counts.add(key, max, count)) throw tooMany
      res.once('close', () => counts.remove(key, count))
    }
    begin(perAddress, address, perAddressMax)
    return { address, identify: (userId) => begin(perUser, userId, perUserMax) }
  }
}

const tooMany = new ChatError('rateLimited', {
  message: 'Too many calls at once; read the answers of those that were made.',
  retryAfterMs: 1_000,
})
