import type { Username } from '../../contract/index.ts'
import { inTime } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import type { Models } from './schema.ts'

/** By which keys all that concerns these users is found, and whom each key concerns: themselves and their groups. */
export const audienceKeys = async ({ members }: Models, usernames: Username[]): Promise<Map<string, Username[]>> => {
  const keys = new Map(usernames.map((username): [string, Username[]] => [username, [username]]))
  const groups = await inTime(
    members
      .find(
        { username: members.base.trusted({ $in: usernames }), kind: 'group' },
        { conversationId: 1, username: 1 },
        { lean: true, maxTimeMS: waitMaxMs },
      )
      .exec(),
  )
  for (const { conversationId, username } of groups) {
    keys.set(conversationId, [...(keys.get(conversationId) ?? []), username])
  }
  return keys
}
