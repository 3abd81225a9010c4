import { type Chat, type ChatClient, createChat, createClient, type Profile, type View } from '@parley/client'
import { createDrafts, type Drafts } from './drafts.ts'
import { forgetRoute } from './route.ts'
import {
  forgetSession,
  onSessionOfOtherTab,
  readSession,
  type SavedSession,
  saveProfile,
  saveSession,
} from './saved-session.ts'
import { createValue } from './value.ts'

/** Somebody who is signed in, and her chat. */
export interface Account {
  session: SavedSession
  /** As others see her. */
  profile: View<Profile>
  /** Passes over one that is no later than what is known. */
  takeProfile(profile: Profile): void
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
      ...profileOf(session),
      client,
      chat: createChat(client, { userId: session.userId }),
      drafts: createDrafts(session.userId),
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
    if (session?.token === current?.session.token) {
      if (session) current?.takeProfile({ version: 0, ...session })
      return
    }
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
      forgetRoute()
      forgetSession(session)
      // Half-written texts are not for whoever uses this browser next.
      drafts.forget()
      await chat.close()
      await client.logout(undefined, { timeoutMs: signOutMs }).catch(() => {})
      client.close()
    },
  }
}
const profileOf = (session: SavedSession): Pick<Account, 'profile' | 'takeProfile'> => {
  const { userId, displayName, version = 0 } = session
  const profile = createValue<Profile>({ userId, displayName, version })
  return {
    profile,
    takeProfile({ displayName, version }) {
      if (version <= profile.getSnapshot().version) return
      profile.set({ userId, displayName, version })
      saveProfile(session, profile.getSnapshot())
    },
  }
}

export type Accounts = ReturnType<typeof createAccounts>
