import { type Chat, type ChatClient, createChat, createClient } from '@parley/client'
import { createDrafts, type Drafts } from './drafts.ts'
import { forgetPlace } from './place.ts'
import { forgetSession, onSessionOfOtherTab, readSession, type SavedSession, saveSession } from './saved-session.ts'
import { createValue } from './value.ts'

/** Somebody who is signed in, and her chat. */
export interface Account {
  session: SavedSession
  client: ChatClient
  chat: Chat
  drafts: Drafts
}

export interface SignIn {
  username: string
  password: string
  /** Opens an account. */
  isNew: boolean
}

/** The page may stand below a path; the server does then too. */
const url = new URL('.', location.href).href

/** People wait at the form for the answer. */
const signInMs = 10_000
/** The session ends on the server as well, if that can be told soon. */
const signOutMs = 5_000

/** Whose page this is. Tabs go together: signing in or out in one does so in all. */
export const createAccounts = () => {
  const account = createValue<Account | null>(null)
  /** Why nobody is signed in any more. */
  const notice = createValue<string | null>(null)

  const open = (client: ChatClient, session: SavedSession) => {
    notice.set(null)
    const opened: Account = {
      session,
      client,
      chat: createChat(client, { username: session.username }),
      drafts: createDrafts(session.username),
    }
    client.onState(({ status }) => {
      if (status !== 'signedOut' || account.getSnapshot() !== opened) return
      notice.set('Your session has ended. Sign in again to go on.')
      void leave(opened)
    })
    account.set(opened)
  }
  const resume = (session: SavedSession) => open(createClient({ url, token: session.token }), session)

  /** Drafts and what waits to be sent stay for her return. */
  const leave = async (left: Account) => {
    account.set(null)
    forgetSession(left.session)
    left.drafts.close()
    await left.chat.close()
    left.client.close()
  }

  const saved = readSession()
  if (saved) resume(saved)
  onSessionOfOtherTab((session) => {
    const current = account.getSnapshot()
    if (session?.token === current?.session.token) return
    if (current) void leave(current)
    if (session) resume(session)
  })

  return {
    account,
    notice,
    /** @throws ChatError */
    async signIn({ username, password, isNew }: SignIn) {
      const client = createClient({ url })
      const options = { timeoutMs: signInMs }
      try {
        const account = { username, password }
        open(client, saveSession(await (isNew ? client.register(account, options) : client.login(account, options))))
      } catch (error) {
        client.close()
        throw error
      }
    },
    /** At once here; on the server as soon as it hears of it, or else when the session expires. */
    async signOut() {
      const current = account.getSnapshot()
      if (!current) return
      const { session, client, chat, drafts } = current
      account.set(null)
      forgetPlace()
      forgetSession(session)
      // Half-written texts are not for whoever uses this browser next.
      drafts.forget()
      await chat.close()
      await client.logout(undefined, { timeoutMs: signOutMs }).catch(() => {})
      client.close()
    },
  }
}
export type Accounts = ReturnType<typeof createAccounts>
