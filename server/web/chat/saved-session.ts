import type { Profile, SignedIn } from '@parley/client'

/** Who is signed in in this browser. */
export interface SavedSession {
  userId: string
  displayName: string
  /** Of the profile: tells which of two names is the later one. Sessions of earlier versions lack it. */
  version?: number
  token: string
}

/**
 * The session is kept in local storage, so that a reload, a further tab and tomorrow find it. Any script of this origin can
 * read it there; under the policy that this page is served with, the only scripts that run are the files of this server:
 * nothing inline, nothing from elsewhere, no text that becomes code or markup. A cookie out of the scripts' reach would keep
 * the token from being carried off, not from being used by such a script, and would have to be guarded against other
 * pages. What remains is who sits at this device: signing out ends the session on the server.
 */
const key = 'parley.session'

export const readSession = (): SavedSession | null => {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
    return isSession(saved) ? saved : null
  } catch {
    return null
  }
}

export const saveSession = ({ user, session }: SignedIn): SavedSession => {
  const { userId, displayName, version } = user
  const saved = { userId, displayName, version, token: session.token }
  localStorage.setItem(key, JSON.stringify(saved))
  return saved
}

/** The name that others see may change while the session lives. */
export const saveProfile = ({ token }: SavedSession, { displayName, version }: Profile): void => {
  const saved = readSession()
  if (saved?.token === token) localStorage.setItem(key, JSON.stringify({ ...saved, displayName, version }))
}

/** Forgets this session, and no other that another tab has opened since. */
export const forgetSession = ({ token }: SavedSession): void => {
  if (readSession()?.token === token) localStorage.removeItem(key)
}

/** Calls back when another tab has signed in or out, or has changed the name. */
export const onSessionOfOtherTab = (listener: (session: SavedSession | null) => void): void =>
  addEventListener('storage', (event) => {
    if (event.key === key || event.key === null) listener(readSession())
  })

const isSession = (value: unknown): value is SavedSession => {
  if (typeof value !== 'object' || value === null) return false
  const { userId, displayName, token } = value as Partial<Record<keyof SavedSession, unknown>>
  return [userId, displayName, token].every((text) => typeof text === 'string')
}
