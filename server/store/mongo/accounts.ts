import { ChatError, type Version } from '../../contract/index.ts'
import type { AccountStore, StoredSession, StoredUser } from '../../domain/ports.ts'
import { inTime, isDuplicate } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { type Models, native, type SessionDocument, type UserDocument } from './schema.ts'

export const accountStore = (
  { users, sessions, endedSessions }: Models,
  nextVersion: () => Promise<Version>,
): AccountStore => {
  const { trusted } = users.base
  const reading = { lean: true, maxTimeMS: waitMaxMs } as const
  const writing = { maxTimeMS: waitMaxMs }

  return {
    async createUser({ username, displayName, passwordHash, createdAt }) {
      const document: UserDocument = { _id: username, displayName, passwordHash, createdAt }
      await inTime(
        native(users)
          .insertOne(document, writing)
          .catch((error: unknown) => {
            throw isDuplicate(error) ? new ChatError('usernameTaken') : error
          }),
      )
    },

    async user(username) {
      const document = await inTime(users.findById(username, null, reading).exec())
      return document && toUser(document)
    },

    async createSession({ tokenHash, username, createdAt, expiresAt }) {
      if (!(await inTime(users.exists({ _id: username }).setOptions(reading).exec())))
        throw new ChatError('unknownUser')
      const document: SessionDocument = { _id: tokenHash, username, createdAt, expiresAt }
      await inTime(native(sessions).insertOne(document, writing))
    },

    async session(tokenHash) {
      const document = await inTime(sessions.findById(tokenHash, null, reading).exec())
      return document && toSession(document)
    },

    async extendSession(tokenHash, expiresAt) {
      await inTime(sessions.updateOne({ _id: tokenHash }, { $set: { expiresAt } }, writing).exec())
    },

    async deleteSession(tokenHash) {
      const session = await inTime(sessions.findById(tokenHash, null, reading).exec())
      if (!session) return false
      // Remembered first: were this node to end between the two, the session would live, and can be ended again.
      const ended = { version: await nextVersion(), expiresAt: session.expiresAt }
      await inTime(endedSessions.updateOne({ _id: tokenHash }, { $max: ended }, { upsert: true, ...writing }).exec())
      return (await inTime(sessions.deleteOne({ _id: tokenHash }, writing).exec())).deletedCount > 0
    },

    async deleteExpiredSessions(before) {
      const expired = { expiresAt: trusted({ $lt: before }) }
      await inTime(endedSessions.deleteMany(expired, writing).exec())
      return (await inTime(sessions.deleteMany(expired, writing).exec())).deletedCount
    },

    async setLastSeen(lastSeen) {
      if (lastSeen.length === 0) return
      const updates = lastSeen.map(({ username, at }) => ({
        updateOne: { filter: { _id: username }, update: { $max: { lastSeenAt: at } } },
      }))
      await inTime(native(users).bulkWrite(updates, { ordered: false, ...writing }))
    },

    async lastSeen(usernames) {
      const seen = { _id: trusted({ $in: usernames }), lastSeenAt: trusted({ $exists: true }) }
      const found = await inTime(users.find(seen, { lastSeenAt: 1 }, reading).exec())
      return new Map(found.map(({ _id, lastSeenAt }) => [_id, lastSeenAt as Date]))
    },
  }
}

const toUser = ({ _id, displayName, passwordHash, createdAt }: UserDocument): StoredUser => ({
  username: _id,
  displayName,
  passwordHash,
  createdAt,
})

const toSession = ({ _id, username, createdAt, expiresAt }: SessionDocument): StoredSession => ({
  tokenHash: _id,
  username,
  createdAt,
  expiresAt,
})
