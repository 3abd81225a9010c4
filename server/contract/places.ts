import type { Address, ConversationId, MessageId, Seq, UserId } from './ids.ts'

// What the ids of conversations and messages say. It stands apart from the schemas, which would bring zod along into
// the SDK.

export const directConversationId = (a: UserId, b: UserId): ConversationId => (a < b ? `dm:${a}:${b}` : `dm:${b}:${a}`)

/** The conversation that `caller` means by an address. */
export const conversationIdOf = (caller: UserId, address: Address): ConversationId =>
  address.includes(':') ? address : directConversationId(caller, address)

/** Who a direct conversation is between (one id for notes to oneself), or null for a group. */
export const directMembers = (id: ConversationId): UserId[] | null => {
  const [kind, a, b] = id.split(':')
  if (kind !== 'dm' || a === undefined || b === undefined) return null
  return a === b ? [a] : [a, b]
}

export const messageId = (conversation: ConversationId, seq: Seq): MessageId => `${conversation}:${seq}`

export const messagePlace = (id: MessageId): { conversationId: ConversationId; seq: Seq } => {
  const cut = id.lastIndexOf(':')
  return { conversationId: id.slice(0, cut), seq: Number(id.slice(cut + 1)) }
}
