import { ChatError } from '../../../server/contract/errors.ts'
import type { SignedIn } from '../../../server/contract/index.ts'
import { timerMaxMs } from './pause.ts'

/** Why a token is asked for: `ended` when the one before is no longer good. */
export type TokenReason = 'connect' | 'ended'
export type TokenSource =
  | string
  | null
  | undefined
  | ((why: TokenReason) => string | null | undefined | Promise<string | null | undefined>)

/** Whose client this is: from `token` in its options, or by `register` and `login`. */
export const createSession = (source: TokenSource, timeoutMs: number) => {
  let token = typeof source === 'string' ? source : null
  let loggedOut = false
  let signingIn = false
  let limit: ReturnType<typeof setTimeout> | undefined

  const ask = async (why: TokenReason) => {
    if (typeof source !== 'function' || loggedOut || signingIn) return null
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(
        () => reject(new Error(`The token function gave none in ${timeoutMs} ms`)),
        Math.min(timeoutMs, timerMaxMs),
      )
    })
    try {
      return await Promise.race([source(why), late])
    } finally {
      clearTimeout(limit)
    }
  }

  return {
    /** The token for the next connection; null: nobody is signed in. @throws what the token function throws */
    async token(why: TokenReason): Promise<string | null> {
      if (why === 'ended') token = null
      const given = await ask(why)
      // Whoever signs in does so on a connection that is nobody's yet.
      if (!signingIn) token = given ?? token
      return token
    },
    /** @throws ChatError `badRequest`: one connection is one session */
    async signIn(register: () => Promise<SignedIn>): Promise<SignedIn> {
      if (token !== null) throw refused('This client is signed in; log out first, or make another client.')
      if (signingIn) throw refused('A sign-in is under way on this client; wait for it, or make another client.')
      signingIn = true
      try {
        const signedIn = await register()
        token = signedIn.session.token
        loggedOut = false
        return signedIn
      } finally {
        signingIn = false
      }
    },
    /** The token function is not asked again before the next sign-in. */
    logOut() {
      token = null
      loggedOut = true
    },
    /** It is no longer good. */
    forget() {
      token = null
    },
    /** Waits for no token any more. */
    stop: () => clearTimeout(limit),
  }
}

const refused = (message: string) => new ChatError('badRequest', { message })
