import { ChatError, type Profile } from '../../contract/index.ts'
import type { AccountStore, Log, StoredUser } from '../../domain/ports.ts'
import { toProfile, toUser } from './documents.ts'
import { inTime, isDuplicate, wordsOf } from './errors.ts'
import { lateMs } from './limits.ts'
import { find, findOne } from './reads.ts'
import { type Models, native, type UserDocument } from './schema.ts'
import { sideBySide } from './side-by-side.ts'
import type { Versions } from './versions.ts'
import { again, type Outcome, refused, unknown } from './writes.ts'

type NewUser = Parameters<AccountStore['createUser']>[0]

/** What gives a profile its version. */
export type AccountWrite =
  | { type: 'createUser'; user: NewUser; given: Set<number> }
  | { type: 'updateProfile'; userId: string; displayName: string }

export const userCreation = (user: NewUser): AccountWrite => ({ type: 'createUser', user, given: new Set() })

const sideBySideMax = 16

export const createAccountWrites = ({ models, versions, log }: { models: Models; versions: Versions; log: Log }) => {
  const users = native(models.users)
  const writing = { maxTimeMS: lateMs }

  const createUser = async ({ user, given }: AccountWrite & { type: 'createUser' }): Promise<Outcome<StoredUser>> => {
    const { userId, displayName, passwordHash, createdAt } = user
    const version = versions.next()
    const document: UserDocument = { _id: userId, displayName, version, passwordHash, createdAt }
    given.add(version)
    const failure = await inTime(
      users.insertOne(document, writing).then(
        () => null,
        (error: unknown) => error,
      ),
    )
    if (failure === null) return { type: 'done', version, result: toUser(document) }
    if (!isDuplicate(failure)) throw failure
    const there = await findOne(models.users, { _id: userId })
    // One that was not answered was stored all the same.
    if (there && given.has(there.version)) return { type: 'done', version: there.version, result: toUser(there) }
    return there ? refused(new ChatError('usernameTaken')) : again
  }

  /** Over an older version only; who was late writes once more, at a version that readers are not past. */
  const updateProfile = async ({
    userId,
    displayName,
  }: AccountWrite & { type: 'updateProfile' }): Promise<Outcome<Profile>> => {
    const version = versions.next()
    const givenAt = performance.now()
    const filter = { _id: userId, version: { $lt: version } }
    const options = { returnDocument: 'after', ...writing } as const
    const updated = await inTime(users.findOneAndUpdate(filter, { $set: { displayName, version } }, options))
    if (updated) {
      if (performance.now() - givenAt > lateMs) return unknown
      return { type: 'done', version, result: toProfile(updated) }
    }
    const [user] = await find(models.users, { _id: userId })
    if (!user) return refused(new ChatError('unknownUser'))
    versions.saw(user.version)
    return again
  }

  return (writes: AccountWrite[]): Promise<Outcome<StoredUser | Profile>[]> =>
    sideBySide<AccountWrite, Outcome<StoredUser | Profile>>(writes, sideBySideMax, (write) =>
      (write.type === 'createUser' ? createUser(write) : updateProfile(write)).catch((error: unknown) => {
        log.warn({ reason: wordsOf(error) }, 'it is not known whether a profile was stored; trying again')
        return unknown
      }),
    )
}
