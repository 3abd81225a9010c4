import { ChatError, type UserId } from '../contract/index.ts'
import type { Ports } from './ports.ts'

/** What a message takes besides its text. Measured with short ids: 150 bytes in SQLite, 240 as BSON and its indices in MongoDB. */
const rowBytes = 256

/** Counts a text that is about to be stored. @throws ChatError `rateLimited`, with what is left of the day's share */
export const takeStorage = ({ rates, rules }: Pick<Ports, 'rates' | 'rules'>, userId: UserId, text: string): void => {
  const bytes = rowBytes + Buffer.byteLength(text)
  try {
    rates.takeNow(rules.storage, userId, bytes)
  } catch (error) {
    if (!(error instanceof ChatError && error.retryAfterMs !== undefined)) throw error
    const { burst, everyMs } = rules.storage
    const left = Math.max(0, bytes - Math.ceil(error.retryAfterMs / everyMs))
    throw new ChatError('rateLimited', {
      message: `Of the ${burst} bytes that one user may store within a day ${left} are left; this takes ${bytes}.`,
      retryAfterMs: error.retryAfterMs,
    })
  }
}
