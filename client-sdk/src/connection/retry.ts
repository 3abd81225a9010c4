import { ChatError } from '../../../server/contract/chat-error.ts'
import { throwIfAborted } from './abort.ts'
import { sleep } from './sleep.ts'

const firstMs = 250
/** Also between attempts that can hardly succeed. */
export const lastMs = 25_000

/**
 * How long to wait before the next attempt: a random part (full jitter) of a time that doubles from the first to the
 * last, on top of what the server asked for.
 */
export const backoffMs = (failures: number, error: ChatError | null): number =>
  (error?.retryAfterMs ?? 0) + Math.random() * Math.min(lastMs, firstMs * 2 ** Math.min(failures, 10))

/** Runs something again after failures, later with each one in a row. */
export const createRetry = (run: () => void) => {
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const runIn = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(run, ms)
  }
  return {
    runIn,
    failed: (error: ChatError | null) => runIn(backoffMs(++failures, error)),
    succeeded() {
      failures = 0
    },
    stop: () => clearTimeout(timer),
  }
}

export interface RetryOptions {
  signal?: AbortSignal | undefined
  /** Whether it may succeed later. Default: the error says so. */
  isRetryable?(error: unknown): error is ChatError
  /** Waits before the next attempt. Default: so long, or until the signal aborts. */
  wait?(ms: number, error: ChatError): Promise<void>
}

/** Asks until there is an answer. @throws what cannot succeed later; the signal's reason */
export const retry = async <Answer>(ask: () => Promise<Answer>, options: RetryOptions): Promise<Answer> => {
  const { signal, isRetryable = saysSo, wait = (ms) => sleep(ms, signal) } = options
  for (let failures = 1; ; failures++) {
    try {
      return await ask()
    } catch (error) {
      throwIfAborted(signal)
      if (!isRetryable(error)) throw error
      await wait(backoffMs(failures, error), error)
      throwIfAborted(signal)
    }
  }
}

const saysSo = (error: unknown): error is ChatError => error instanceof ChatError && error.retryable

/** For whoever reads page after page: a server answers faster than it lets one go on. @throws what `ask` throws */
export const withinLimits = <Answer>(ask: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> =>
  retry(ask, {
    signal,
    isRetryable: (error): error is ChatError => error instanceof ChatError && error.kind === 'rateLimited',
    wait: (_, { retryAfterMs = 0 }) => sleep(retryAfterMs, signal),
  })
