import type { ChatClient } from '../client.ts'
import { abortedWith } from '../connection/abort.ts'
import { ChatError } from '../connection/errors.ts'
import { retry } from '../connection/retry.ts'
import { sleep } from '../connection/sleep.ts'
import { isLive } from '../connection/state.ts'

/**
 * Asks in the name of one user until there is an answer: what is refused for now, or for want of a connection or of that
 * user's session, is asked again. What is hers is not asked for, sent or confirmed for anybody else.
 * @param how is given what goes with the call
 * @param until ends it, before the chat ends
 * @throws ChatError one that a repeat does not mend; `closed` when it has ended
 */
export type Ask = <Answer>(
  how: (options: { as: string; signal: AbortSignal }) => Promise<Answer>,
  until?: AbortSignal,
) => Promise<Answer>

export const createAsk =
  (client: ChatClient, as: string, over: AbortSignal): Ask =>
  async (how, until) => {
    const own = abortedWith(over, ...(until ? [until] : []))
    const { signal } = own
    const wait = (ms: number, { kind }: ChatError) =>
      // Trying again would only open a connection that is nobody's.
      untilLive(client, kind === 'sessionEnded' ? Number.POSITIVE_INFINITY : ms, signal)
    try {
      if (!signal.aborted) return await retry(() => how({ as, signal }), { signal, isRetryable: isToBeRepeated, wait })
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      own.abort()
    }
    throw new ChatError('closed')
  }

/** Refused for now, or for as long as nobody is signed in. */
export const isToBeRepeated = (error: unknown): error is ChatError =>
  error instanceof ChatError && (error.retryable || error.kind === 'notSignedIn' || error.kind === 'sessionEnded')

/** Resolves when there is a connection again, or a session, at the latest after so long. */
const untilLive = async (client: ChatClient, ms: number, signal: AbortSignal) => {
  const live = abortedWith(signal)
  const unlisten = [
    client.onState((state) => {
      if (isLive(state)) live.abort()
    }),
    client.onSignIn(() => live.abort()),
  ]
  await sleep(ms, live.signal)
  live.abort()
  for (const end of unlisten) end()
}
