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
  throw new ChatError('notSignedIn', {
    message: `Nobody is signed in at ${server}: parley login USERNAME, or parley register USERNAME for a new account`,
  })
}

/** A client for the length of one command. People are told when there is no connection, once for each time. */
export const withClient = async (
  { server, timeoutMs, output }: Invocation,
  token: string | null,
  use: (client: ChatClient) => Promise<void>,
): Promise<void> => {
  const client = createClient({ url: server, token, callTimeoutMs: timeoutMs })
  const states: { trouble?: string } = {}
  let wasLive = false
  const hopeless = new Promise<never>((_, reject) => {
    client.onState(async (state) => {
      if (state.status === 'live') {
        if (states.trouble) output.notice('connected again')
        delete states.trouble
        wasLive = true
      }
      if (state.status !== 'offline' || !state.error.retryable || states.trouble) return
      states.trouble = state.error.message.trim()
      if (!wasLive && (await isSomethingElse(server))) reject(new UsageError(`There is no Parley server at ${server}`))
      else if (states.trouble) output.notice(`no connection, trying again: ${states.trouble}`)
    })
  })
  const used = use(client)
  try {
    await Promise.race([used, hopeless])
  } catch (error) {
    if (!(error instanceof ChatError && error.kind === 'timedOut' && states.trouble)) throw error
    throw new ChatError('timedOut', { message: `No answer came from ${server}: ${states.trouble}` })
  } finally {
    client.close()
    await used.catch(() => {})
  }
}

const lookMs = 3_000

/** Whether something answers there that is no Parley server, so that waiting would not help. */
const isSomethingElse = async (server: string): Promise<boolean> => {
  try {
    const { status } = await fetch(`${server}/trpc/me`, { method: 'HEAD', signal: AbortSignal.timeout(lookMs) })
    return status !== 204 && status < 500
  } catch (error) {
    // It speaks TLS and should not, or should and does not.
    const { code } = ((error as Error).cause ?? {}) as { code?: string }
    return code !== undefined && /^(?:ERR_SSL|EPROTO|HPE_|UND_ERR_SOCKET)/.test(code)
  }
}

/** The same, signed in. */
export const withSession = (call: Invocation, use: (client: ChatClient) => Promise<void>): Promise<void> =>
  withClient(call, sessionToken(call), use)
