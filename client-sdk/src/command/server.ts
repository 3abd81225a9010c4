import { type ChatClient, ChatError, createClient } from '../node.ts'
import type { Invocation } from './command.ts'
import { UsageError } from './exit-codes.ts'

/**
 * The address as sessions are kept by, and nothing secret in it: one server has one, however it was typed.
 * @throws UsageError
 */
export const serverAddress = (given: string): string => {
  try {
    const { protocol, host, pathname } = new URL(given)
    if (!/^(?:http|ws)s?:$/.test(protocol)) throw new Error()
    return `${protocol.replace('ws', 'http')}//${host}${pathname.replace(/\/+$/, '')}`
  } catch {
    throw new UsageError('The address of a server looks like https://chat.example.org')
  }
}

/** The session of this call: `PARLEY_TOKEN` before what `login` saved. @throws ChatError `notSignedIn` */
export const sessionToken = ({ environment, sessions, server }: Invocation): string => {
  const token = environment.PARLEY_TOKEN || sessions.read(server)?.token
  if (token) return token
  throw new ChatError('notSignedIn', { message: `Nobody is signed in at ${server}: parley login USERNAME` })
}

/** A client for the length of one command. */
export const withClient = async (
  { server, timeoutMs }: Invocation,
  token: string | null,
  use: (client: ChatClient) => Promise<void>,
): Promise<void> => {
  const client = createClient({ url: server, token, callTimeoutMs: timeoutMs })
  const states: { trouble?: ChatError } = {}
  client.onState((state) => {
    if (state.status === 'offline') states.trouble = state.error
    if (state.status === 'live') delete states.trouble
  })
  try {
    await use(client)
  } catch (error) {
    if (!(error instanceof ChatError && error.kind === 'timedOut' && states.trouble)) throw error
    throw new ChatError('timedOut', { message: `No answer came from ${server}: ${states.trouble.message}` })
  } finally {
    client.close()
  }
}

/** The same, signed in. */
export const withSession = (call: Invocation, use: (client: ChatClient) => Promise<void>): Promise<void> =>
  withClient(call, sessionToken(call), use)
