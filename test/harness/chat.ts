import { type Chat, type ChatClient, type ChatOptions, createChat, createClient } from '../../client-sdk/src/node.ts'
import { shows } from './views.ts'
import type { Person } from './world.ts'

export interface ChatTestOptions extends Partial<ChatOptions> {
  /** Calls that answer otherwise than those of the client. */
  calls?(client: ChatClient): Partial<ChatClient>
}

/** A chat of this person on a client of its own, behind her network. */
export const chatOf = (person: Person, { calls, ...options }: ChatTestOptions = {}) => {
  const own = createClient({ url: person.network.url, token: person.token })
  const client: ChatClient = calls ? Object.assign(Object.create(own), calls(own)) : own
  const chat = createChat(client, { userId: person.name, ...options })
  const close = async () => {
    await chat.close()
    client.close()
  }
  return Object.assign(chat, { client, [Symbol.asyncDispose]: close })
}

export const isEmpty = (chat: Chat) => shows(chat.outbox, (drafts) => drafts.length === 0)

/** A call without an answer. */
export const never = () => new Promise<never>(() => {})
