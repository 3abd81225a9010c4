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
      const isLate = error instanceof mongo.MongoNetworkTimeoutError || (error instanceof ChatError && error.retryable)
      if (attempt === attemptsMax || !isLate) throw error
      await new Promise((resolve) => setTimeout(resolve, againMs))
    }
  }
}
