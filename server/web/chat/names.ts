import { directMembers, type Profile } from '@parley/client'

/** Somebody of whom only the id is known is called by it. */
export const unnamed = (userId: string): NamedPerson => ({ userId, displayName: userId })

export type NamedPerson = Pick<Profile, 'userId' | 'displayName'>

/** As far as a conversation's id tells: a group's members stand in its summary alone. */
export const memberIdsOf = (conversationId: string): readonly string[] => directMembers(conversationId) ?? []

export const nameOf = (members: readonly NamedPerson[], userId: string): string =>
  members.find((member) => member.userId === userId)?.displayName ?? userId

/** Those of a direct conversation, by what they are called. */
export const membersOf = (conversationId: string, people: readonly NamedPerson[]): NamedPerson[] =>
  memberIdsOf(conversationId).map((id) => people.find(({ userId }) => userId === id) ?? unnamed(id))

/** What a conversation is called by one of its members. */
export const titleOf = (members: readonly NamedPerson[], userId: string): string => {
  const others = members.filter((member) => member.userId !== userId)
  if (others.length > 0) return others.map(({ displayName }) => displayName).join(', ')
  return members.length > 0 ? notesTitle : 'A conversation'
}

/** Letters that look like Latin ones, in the order of those: Cyrillic, Greek, digits (Unicode, UTS 39). */
const lookalikes = 'авеіјкмнорсѕтухӏ' + 'αβεικμνορτυχ' + '01|'
const latin = 'abeljkmhopcstyxl' + 'abelkmnoptyx' + 'oll'

/** Names that look alike have the same looks: marks, case, and letters of other alphabets do not tell people apart. */
export const looksOf = (name: string): string =>
  Array.from(name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('i', 'l'), (letter) => {
    const at = lookalikes.indexOf(letter)
    return at < 0 ? letter : latin[at]
  }).join('')

export const notesTitle = 'Notes to yourself'

/** The other one of a direct conversation; null in a group and in notes to oneself. */
export const peerOf = (conversationId: string, userId: string): string | null =>
  memberIdsOf(conversationId).find((id) => id !== userId) ?? null
