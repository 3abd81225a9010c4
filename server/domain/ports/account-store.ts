import type { Profile, UserId } from '../../contract/index.ts'

export interface StoredUser extends Profile {
  passwordHash: string
  createdAt: Date
}

export interface StoredSession {
  /** SHA-256 of the token, base64url: what is stored opens nothing. */
  tokenHash: string
  userId: UserId
  createdAt: Date
  expiresAt: Date
}

export interface AccountStore {
  /** @returns the user with the version of the new profile. @throws ChatError `usernameTaken` */
  createUser(user: Omit<StoredUser, 'version'>): Promise<StoredUser>
  user(userId: UserId): Promise<StoredUser | null>
  /** Of those who exist; one read for many. */
  profiles(userIds: UserId[]): Promise<Profile[]>
  /**
   * A change in each conversation that this user is a member of: their readers find it there.
   * @throws ChatError `unknownUser`
   */
  updateProfile(userId: UserId, profile: { displayName: string }): Promise<Profile>
  /** @throws ChatError `unknownUser` */
  createSession(session: StoredSession): Promise<void>
  /** Also when it has expired: whoever asks compares `expiresAt` with the clock. */
  session(tokenHash: string): Promise<StoredSession | null>
  extendSession(tokenHash: string, expiresAt: Date): Promise<void>
  /** @returns whether there was one. */
  deleteSession(tokenHash: string): Promise<boolean>
  /** Deletes what expired before `before`. @returns how many. */
  deleteExpiredSessions(before: Date): Promise<number>
  /** Remembers when these users were last connected; unknown ids are passed over. */
  setLastSeen(lastSeen: { userId: UserId; at: Date }[]): Promise<void>
  /** Of those who were ever connected. */
  lastSeen(userIds: UserId[]): Promise<Map<UserId, Date>>
}
