import type { ChatClient } from '../client.ts'
import { ChatError } from '../connection/errors.ts'
import { whenSignedIn } from './online.ts'

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

  const check = async () => {
    asked ??= ask()
    const answer = asked
    try {
      await answer
    } catch (error) {
      if (asked === answer) asked = null
      throw error
    }
  }

  return {
    /** @throws ChatError `notSignedIn`, also where somebody else is */
    check,
    /**
     * Asks as this user until there is an answer.
     * @throws ChatError one that a repeat does not mend; `closed` when the chat has ended
     */
    async ask<Answer>(how: () => Promise<Answer>): Promise<Answer> {
      const asUser = async () => {
        await check()
        return how()
      }
      return whenSignedIn(client, asUser, signal)
    },
  }
}
export type Identity = ReturnType<typeof createIdentity>
