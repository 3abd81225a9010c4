import { ChatError } from '../../../server/contract/errors.ts'
import type { SignedIn } from '../../../server/contract/index.ts'

/**
 * Whose connections these are: one user's until she is signed out, by whichever tokens.
 * @param tokensVary each connection may come with another one
 */
export const createWhose = (tokensVary: boolean) => {
  let token: string | null = null
  let known: { token: string; userId: string } | null = null
  const isUnknown = () => token !== null && token !== known?.token

  return {
    /** The next connection is opened with this token, or none. */
    opens(next: string | null) {
      token = next
    },
    token: () => token,
    isUnknown,
    /** Nothing may be said to, or heard from, a session that may be somebody else's than the one before or after. */
    mayBeAnothers: () => tokensVary && isUnknown(),
    /** The server says whose this connection is. @returns why it must not be used */
    answered(userId: string): ChatError | null {
      if (token === null) return null
      if (known && known.userId !== userId) {
        const message = `The token is one of ${userId}; this client is ${known.userId}’s until she is signed out.`
        return new ChatError('sessionEnded', { message })
      }
      known = { token, userId }
      return null
    },
    signedIn({ session, user }: SignedIn) {
      token = session.token
      known = { token, userId: user.userId }
    },
    signedOut() {
      known = null
    },
  }
}
