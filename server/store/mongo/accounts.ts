import { ChatError, type Version } from '../../contract/index.ts'
import type { AccountStore, StoredSession } from '../../domain/ports.ts'
import { toProfile, toUser } from './documents.ts'
import { inTime } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { find, findOne } from './reads.ts'
import { type Models, native, type SessionDocument } from './schema.ts'

/** Users, but for what gives their profiles a version, and their sessions. */
export const accountStore = (
  models: Models,
  nextVersion: () => Promise<Version>,
): Omit<AccountStore, 'createUser' | 'updateProfile'> => {
  const { users, sessions, endedSessions } = models
  const writing = { maxTimeMS: waitMaxMs }

  return {
    async user(userId) {
      const document = await findOne(users, { _id: userId })
      return document && toUser(document)
    },

    async profiles(userIds) {
      if (userIds.length === 0) return []
      return (await find(users, { _id: { $in: userIds } })).map(toProfile)
    },

    async createSession({ tokenHash, userId, createdAt, expiresAt }) {
      if (!(await findOne(users, { _id: userId }))) throw new ChatError('unknownUser')
      await inTime(native(sessions).insertOne({ _id: tokenHash, userId, createdAt, expiresAt }, writing))
    },

    async session(tokenHash) {
      const document = await findOne(sessions, { _id: tokenHash })
      return document && toSession(document)
    },

    async extendSession(tokenHash, expiresAt) {
      await inTime(native(sessions).updateOne({ _id: tokenHash }, { $set: { expiresAt } }, writing))
    },

    async deleteSession(tokenHash) {
      const session = await findOne(sessions, { _id: tokenHash })
      if (!session) return false
      // Remembered first: were this node to end between the two, the session would live, and can be ended again.
      const ended = { version: await nextVersion(), expiresAt: session.expiresAt }
      await inTime(native(endedSessions).updateOne({ _id: tokenHash }, { $max: ended }, { upsert: true, ...writing }))
      return (await inTime(native(sessions).deleteOne({ _id: tokenHash }, writing))).deletedCount > 0
    },

    async deleteExpiredSessions(before) {
      const expired = { expiresAt: { $lt: before } }
      await inTime(native(endedSessions).deleteMany(expired, writing))
      return (await inTime(native(sessions).deleteMany(expired, writing))).deletedCount
    },

    async setLastSeen(lastSeen) {
      if (lastSeen.length === 0) return
      const updates = lastSeen.map(({ userId, at }) => ({
        updateOne: { filter: { _id: userId }, update: { $max: { lastSeenAt: at } } },
      }))
      await inTime(native(users).bulkWrite(updates, { ordered: false, ...writing }))
    },

    async lastSeen(userIds) {
      const seen = await find(users, { _id: { $in: userIds }, lastSeenAt: { $exists: true } })
      return new Map(seen.map(({ _id, lastSeenAt }) => [_id, lastSeenAt as Date]))
    },
  }
}

const toSession = ({ _id, userId, createdAt, expiresAt }: SessionDocument): StoredSession => ({
  tokenHash: _id,
  userId,
  createdAt,
  expiresAt,
})
