import { conversationIdOf } from '../../../server/contract/places.ts'

/** The id of the conversation that `username` means by a name, in whatever case, or by an id. */
export const conversationAt = (username: string, to: string): string =>
  conversationIdOf(username, to.includes(':') ? to : to.toLowerCase())
