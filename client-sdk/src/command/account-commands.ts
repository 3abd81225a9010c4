import type { SignedIn } from '../../../server/contract/index.ts'
import { ChatError } from '../connection/errors.ts'
import { type Command, type Invocation, text } from './command.ts'
import { readPassword } from './password.ts'
import { sessionToken, withClient, withSession } from './server.ts'

const aboutPasswords = `The password comes from PARLEY_PASSWORD, is asked for without being shown, or is the first line of stdin where that
is no terminal. It is never an argument: every user of a machine can see the arguments of its programs.

The session is kept in $XDG_CONFIG_HOME/parley or ~/.config/parley, one for each server, for your eyes alone.`

const keepSession = async (call: Invocation, { user, session }: SignedIn) => {
  const { sessions, server, output, environment } = call
  sessions.save({ server, userId: user.userId, token: session.token })
  if (environment.PARLEY_TOKEN) output.notice('PARLEY_TOKEN is set and goes before the session that was saved now')
  // Without the token: what a command prints ends up in logs.
  await output.print({ user, session: { expiresAt: session.expiresAt } })
}

export const register: Command = {
  summary: 'open an account and sign in',
  words: ['USERNAME'],
  options: { 'display-name': { value: 'NAME', help: 'kept with your account; otherwise the username' } },
  help: aboutPasswords,
  examples: ['parley register ada --display-name "Ada L."', 'PARLEY_PASSWORD="$(pass chat/ada)" parley register ada'],
  async run(call) {
    const [username = ''] = call.words
    const displayName = text(call.values, 'display-name')
    const password = await readPassword(call, true)
    await withClient(call, null, async (client) => {
      const account = { username, password, ...(displayName !== undefined && { displayName }) }
      await keepSession(call, await client.register(account))
    })
  },
}

export const login: Command = {
  summary: 'sign in',
  words: ['USERNAME'],
  options: {},
  help: aboutPasswords,
  examples: ['parley login ada', 'parley login ada < password.txt', 'parley login ada --url https://chat.example.org'],
  async run(call) {
    const [username = ''] = call.words
    const password = await readPassword(call, false)
    await withClient(call, null, async (client) => keepSession(call, await client.login({ username, password })))
  },
}

export const logout: Command = {
  summary: 'end the session',
  words: [],
  options: {},
  help: 'The server ends the session, and the file that kept it is removed. PARLEY_TOKEN, where it is set, names the session.',
  examples: ['parley logout'],
  async run(call) {
    const saved = call.sessions.read(call.server)
    const token = sessionToken(call)
    await withClient(call, token, async (client) => {
      try {
        await client.logout()
      } catch (error) {
        // Then it has ended already, which is what was asked for.
        if (!(error instanceof ChatError && error.kind === 'sessionEnded')) throw error
      }
    })
    if (saved?.token === token) call.sessions.forget(call.server)
    await call.output.print({ signedOut: true })
  },
}

export const me: Command = {
  summary: 'show who is signed in',
  words: [],
  options: {},
  help: 'Prints the user: userId, displayName, createdAt.',
  examples: ['parley me | jq -r .userId', 'parley me > /dev/null 2>&1 || parley login ada'],
  run: (call) => withSession(call, async (client) => call.output.print(await client.me())),
}

export const profile: Command = {
  summary: 'change your display name',
  words: [],
  options: {
    'display-name': { value: 'NAME', help: 'how others see you, up to 80 characters; left out, nothing changes' },
  },
  help: `Everybody who shares a conversation with you is told. Your user id stays what it is. Prints the user as it is then: userId,
displayName, createdAt.`,
  examples: ['parley profile --display-name "Ada L."', 'parley profile | jq -a .displayName'],
  async run(call) {
    const displayName = text(call.values, 'display-name')
    await withSession(call, async (client) =>
      call.output.print(await (displayName === undefined ? client.me() : client.updateProfile({ displayName }))),
    )
  },
}
