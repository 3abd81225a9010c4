import type { ChatClient } from '../client.ts'
import { ChatError } from '../connection/errors.ts'
import { whenSignedIn } from './online.ts'

/** That the client is signed in as this user: what is hers is not sent, shown or confirmed for anybody else. */
export const createIdentity = (client: ChatClient, userId: string, signal: AbortSignal) => {
  /** Known of the session at hand. */
  let isHers = false
  /** Asked once for each session. */
  let asked: Promise<void> | null = null

  const askServer = async () => {
    const user = await client.me(undefined, { signal })
    if (user.userId === userId) return
    throw new ChatError('notSignedIn', { message: `This client is signed in as ${user.userId}, not as ${userId}.` })
  }
  const unlisten = client.onState(({ status }) => {
    if (status !== 'signedOut') return
    isHers = false
    asked = null
  })
  signal.addEventListener('abort', unlisten)

  const check = async () => {
    while (!isHers) {
      asked ??= askServer()
      const answer = asked
      try {
        await answer
        // Otherwise it was said of a session that has ended since.
        isHers = asked === answer
      } catch (error) {
        if (asked === answer) asked = null
        throw error
      }
    }
  }

  return {
    /** What is sent in this turn is sent as this user. */
    isHers: () => isHers,
    /** @throws ChatError `notSignedIn`, also where somebody else is */
    check,
    /**
     * Asks as this user until there is an answer.
     * @throws ChatError one that a repeat does not mend; `closed` when the chat has ended
     */
    async ask<Answer>(how: () => Promise<Answer>): Promise<Answer> {
      const asUser = async () => {
        while (!isHers) await check()
        return how()
      }
      return whenSignedIn(client, asUser, signal)
    },
  }
}
export type Identity = ReturnType<typeof createIdentity>
