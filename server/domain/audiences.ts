import { type ConversationId, directMembers, type UserId } from '../contract/index.ts'
import type { Audience, MessageStore } from './ports.ts'

/**
 * What is listened to in order to be in an audience: a user, and for everybody in a direct conversation, whose id names
 * them, nothing more. A group is listened to by its id.
 */
export const listenedTo = (audience: Audience): (UserId | ConversationId)[] => directMembers(audience) ?? [audience]

/** Everybody who sees the profile of this user: the user, each direct peer, each group. */
export const audiencesOfProfile = async (store: MessageStore, userId: UserId): Promise<Audience[]> => {
  const conversations = await store.conversationsOf(userId)
  const others = conversations.map((id) => directMembers(id)?.find((member) => member !== userId) ?? id)
  return [...new Set([userId, ...others])].filter((audience) => !audience.startsWith('dm:'))
}
