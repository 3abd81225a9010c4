import { directMembers } from '@parley/client'

/** As far as its id tells: a group's members stand in its summary alone. */
export const membersOf = (conversationId: string): readonly string[] => directMembers(conversationId) ?? []

/** What a conversation is called by one of its members. */
export const titleOf = (members: readonly string[], username: string): string => {
  const others = members.filter((name) => name !== username)
  if (others.length > 0) return others.join(', ')
  return members.length > 0 ? 'Notes to yourself' : 'A conversation'
}

/** The other one of a direct conversation; null in a group and in notes to oneself. */
export const peerOf = (conversationId: string, username: string): string | null =>
  membersOf(conversationId).find((name) => name !== username) ?? null
