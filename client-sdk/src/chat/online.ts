import type { ChatClient } from '../client.ts'
import { ChatError } from '../connection/errors.ts'
import { retry } from '../connection/retry.ts'
import { sleep, timerMaxMs } from '../connection/sleep.ts'

/**
 * Asks until there is an answer: what is refused for now, or for want of a connection or a session, is asked again.
 * @throws ChatError one that a repeat does not mend; `closed` when the signal aborts
 */
export const whenSignedIn = async <Answer>(
  client: Listening,
  ask: () => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer> => {
  const wait = (ms: number, { kind }: ChatError) =>
    // Trying again would only open a connection that is nobody's.
    untilLive(client, kind === 'sessionEnded' ? timerMaxMs : ms, signal)
  try {
    if (!signal.aborted) return await retry(ask, { signal, isRetryable: isToBeRepeated, wait })
  } catch (error) {
    if (!signal.aborted) throw error
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
  await sleep(ms, AbortSignal.any([signal, live.signal]))
  for (const end of unlisten) end()
}
