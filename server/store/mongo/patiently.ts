import { mongo } from 'mongoose'
import { ChatError } from '../../contract/index.ts'

const attemptsMax = 50
const againMs = 2_000

/**
 * What a busy database does not do in time is asked for again, for ten minutes: for steps of a start that can be done
 * twice. @throws anything else
 */
export const patiently = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === attemptsMax || !isLate(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, againMs))
    }
  }
}

const isLate = (error: unknown): boolean => {
  if (error instanceof ChatError) return error.retryable
  const cause = error instanceof mongo.MongoBulkWriteError ? error.errorResponse : error
  return cause instanceof mongo.MongoNetworkTimeoutError
}
