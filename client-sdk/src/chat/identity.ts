import type { ChatClient } from '../client.ts'
import { ChatError } from '../connection/errors.ts'

/** That the client is signed in as this user: what is hers is not sent, shown or confirmed for anybody else. */
export const createIdentity = (client: ChatClient, userId: string, signal: AbortSignal) => {
  /** Asked once for each session. */
  let asked: Promise<void> | null = null

  const ask = async () => {
    const user = await client.me(undefined, { signal })
    if (user.userId === userId) return
    throw new ChatError('notSignedIn', { message: `This client is signed in as ${user.userId}, not as ${userId}.` })
  }
  const unlisten = client.onState(({ status }) => {
    if (status === 'signedOut') asked = null
  })
  signal.addEventListener('abort', unlisten)

  return {
    /** @throws ChatError `notSignedIn`, also where somebody else is */
    async check() {
      asked ??= ask()
      const answer = asked
      try {
        await answer
      } catch (error) {
        if (asked === answer) asked = null
        throw error
      }
    },
  }
}
export type Identity = ReturnType<typeof createIdentity>
