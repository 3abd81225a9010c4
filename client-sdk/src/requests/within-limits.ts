import { ChatError } from '../connection/errors.ts'
import { orAborted, pause } from '../connection/pause.ts'

/** For whoever reads page after page: a server answers faster than it lets one go on. @throws what `ask` throws */
export const withinLimits = async <Answer>(ask: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> => {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ChatError && error.kind === 'rateLimited')) throw error
      await orAborted(pause(error.retryAfterMs ?? 0), signal)
    }
  }
}
