import type { Writable } from 'node:stream'
import { UsageError } from './exit-codes.ts'
import { askHidden, type Input, readAll } from './input.ts'

interface Sources {
  environment: NodeJS.ProcessEnv
  stdin: Input
  stderr: Writable
}

/**
 * From `PARLEY_PASSWORD`, typed without echo, or the first line of stdin; never from the arguments, which every user of
 * the machine can see.
 * @param isNew a typing error in a new password would lock its owner out
 */
export const readPassword = async ({ environment, stdin, stderr }: Sources, isNew: boolean): Promise<string> => {
  if (environment.PARLEY_PASSWORD) return environment.PARLEY_PASSWORD
  if (!stdin.isTTY) {
    const [line = ''] = (await readAll(stdin)).split(/\r?\n/, 1)
    if (line === '') throw new UsageError('No password: set PARLEY_PASSWORD, or write it to stdin.')
    return line
  }
  const prompts = isNew ? ['Password: ', 'The same again: '] : ['Password: ']
  const [password = '', again = password] = await askHidden(stdin, stderr, prompts)
  if (again !== password) throw new UsageError('The two passwords differ.')
  return password
}
