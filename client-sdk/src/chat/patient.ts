import type { ChatClient } from '../client.ts'
import { backoffMs } from '../connection/backoff.ts'
import { ChatError } from '../connection/errors.ts'
import { pause, timerMaxMs } from '../connection/pause.ts'

/**
 * Asks until there is an answer: what is refused for now, or for want of a connection or a session, is asked again.
 * @throws ChatError one that a repeat does not mend; `closed` when the signal aborts
 */
export const patiently = async <Answer>(
  client: Listening,
  ask: () => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer> => {
  for (let failures = 0; !signal.aborted; ) {
    try {
      return await ask()
    } catch (error) {
      if (signal.aborted) break
      if (!isToBeRepeated(error)) throw error
      // Trying again would only open a connection that is nobody's.
      const waitMs = error.kind === 'sessionEnded' ? timerMaxMs : backoffMs(++failures, error)
      await untilLive(client, waitMs, signal)
    }
  }
  throw new ChatError('closed')
}

/** Refused for now, or for as long as nobody is signed in. */
export const isToBeRepeated = (error: unknown): error is ChatError =>
  error instanceof ChatError && (error.retryable || error.kind === 'notSignedIn' || error.kind === 'sessionEnded')

type Listening = Pick<ChatClient, 'onState' | 'onSignIn'>

/** Resolves when there is a connection again, or a session, at the latest after so long. */
const untilLive = async (client: Listening, ms: number, signal: AbortSignal) => {
  const live = new AbortController()
  const unlisten = [
    client.onState(({ status }) => {
      if (status === 'live' || status === 'catchingUp') live.abort()
    }),
    client.onSignIn(() => live.abort()),
  ]
  await pause(ms, AbortSignal.any([signal, live.signal]))
  for (const end of unlisten) end()
}
