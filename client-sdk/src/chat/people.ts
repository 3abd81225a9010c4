import type { Profile } from '../../../server/contract/index.ts'

/** The people of this chat by their latest profiles. */
export const createPeople = (onChange: () => void) => {
  const profiles = new Map<string, Profile>()
  return {
    accept(news: readonly Profile[]) {
      let isChanged = false
      for (const profile of news) {
        const known = profiles.get(profile.userId)
        if (known && known.version >= profile.version) continue
        profiles.set(profile.userId, profile)
        isChanged ||= known?.displayName !== profile.displayName
      }
      if (isChanged) onChange()
    },
    /** The user id of somebody who is not known here. */
    nameOf: (userId: string): string => profiles.get(userId)?.displayName ?? userId,
    profileOf: (userId: string): Profile => profiles.get(userId) ?? { userId, displayName: userId, version: 0 },
    /** The server's store was restored: what follows may be older. */
    forget: () => profiles.clear(),
  }
}
export type People = ReturnType<typeof createPeople>
