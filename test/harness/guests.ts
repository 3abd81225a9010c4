import { randomBytes } from 'node:crypto'
import type { AppOptions } from '../../server/app.ts'
import { hashToken } from '../../server/domain/accounts.ts'
import type { AccountStore } from '../../server/domain/ports.ts'

const dayMs = 86_400_000

/** People whose ids an application chose: no password opens an account with such an id. Pass `options` to `startWorld`. */
export const createGuests = () => {
  let store: AccountStore | undefined
  const adapt: NonNullable<AppOptions['adapt']> = (ports) => {
    store = ports.store
    return ports
  }
  return {
    options: { adapt },
    /** @returns a token of hers */
    async enter(userId: string, displayName = userId): Promise<string> {
      if (!store) throw new Error('Start the world with the options of its guests')
      const token = randomBytes(32).toString('base64url')
      const createdAt = new Date()
      await store.createUser({ userId, displayName, passwordHash: '', createdAt })
      const expiresAt = new Date(createdAt.getTime() + dayMs)
      await store.createSession({ tokenHash: hashToken(token), userId, createdAt, expiresAt })
      return token
    },
  }
}
