import type { Message } from '../../../server/contract/index.ts'
import { limits } from '../../../server/contract/limits.ts'
import { messagePlace } from '../../../server/contract/places.ts'
import { type ChatClient, ChatError } from '../node.ts'
import { type Command, type Invocation, text, wholeNumber } from './command.ts'
import { UsageError } from './exit-codes.ts'
import { readAll } from './input.ts'
import { withSession } from './server.ts'

const bodyOf = async ({ stdin }: Invocation, given: string): Promise<string> =>
  given === '-' ? (await readAll(stdin)).replace(/\r?\n$/, '') : given

export const send: Command = {
  summary: 'send a message',
  words: ['TO', 'TEXT'],
  options: {
    'client-message-id': { value: 'ID', help: 'your name for this message: the same again is not sent twice' },
  },
  help: `TO is a user id or the id of a conversation. TEXT is one argument, or - for stdin, whose last line break is left out.
Put -- before a text that begins with a dash.

When the command succeeds, the message is on disk; it is printed as the server has it. After exit code 5 it may have
been sent all the same: repeat it with the same --client-message-id, and it is there once.`,
  examples: [
    'parley send bob "Hello, Bob"',
    'df -h | parley send ops -',
    'until parley send bob "Backup done" --client-message-id "backup-$(date +%F)"; do [ $? = 5 ] || break; sleep 5; done',
  ],
  async run(call) {
    const [to = '', given = ''] = call.words
    const clientMessageId = text(call.values, 'client-message-id')
    const body = await bodyOf(call, given)
    await withSession(call, async (client) => {
      const draft = { to, text: body, ...(clientMessageId !== undefined && { clientMessageId }) }
      await call.output.print(await client.sendMessage(draft))
    })
  },
}

/** As it is now. @throws ChatError `unknownMessage` */
const readMessage = async (client: ChatClient, messageId: string): Promise<Message> => {
  const { conversationId, seq } = messagePlace(messageId)
  // What is no id is refused in words by the call that it is for.
  if (!(seq > 0)) throw new UsageError('MESSAGE_ID is the id of a message, as send and history print it')
  const { messages } = await client.history({ conversation: conversationId, around: seq, limit: 1 })
  const message = messages.find(({ id }) => id === messageId)
  if (!message) throw new ChatError('unknownMessage')
  return message
}

export const edit: Command = {
  summary: 'give a message of yours another text',
  words: ['MESSAGE_ID', 'TEXT'],
  options: {
    revision: { value: 'N', help: 'edit only what has this revision; otherwise the message as it is now' },
  },
  help: `MESSAGE_ID is the id of a message, as send and history print it. TEXT is one argument, or - for stdin, whose last line
break is left out. Put -- before a text that begins with a dash. The message is printed as the server has it then.

Messages count their texts (revision). With --revision an edit of anything but that text is a conflict (exit code 4), so that
nobody overwrites what somebody else has written meanwhile, and after exit code 5 the same command can be repeated safely.`,
  examples: [
    'parley edit "$(parley send bob "Helo" | jq -r .id)" "Hello"',
    'parley edit dm:ada:bob:7 "Backup done" --revision 1',
  ],
  async run(call) {
    const [messageId = '', given = ''] = call.words
    const known = wholeNumber(call.values, 'revision', 1)
    const body = await bodyOf(call, given)
    await withSession(call, async (client) => {
      const revision = known ?? (await readMessage(client, messageId)).revision
      await call.output.print(await client.editMessage({ messageId, text: body, revision }))
    })
  },
}

export const deleteMessage: Command = {
  summary: 'delete a message of yours',
  words: ['MESSAGE_ID'],
  options: {},
  help: `Its texts are gone for good, for everybody. Its place stays: it is printed as the server has it then, with deletedAt and
an empty text. Deleting it once more changes nothing.`,
  examples: ['parley delete "$(parley history bob --limit 1 | jq -r .id)"'],
  async run(call) {
    const [messageId = ''] = call.words
    await withSession(call, async (client) => call.output.print(await client.deleteMessage({ messageId })))
  },
}

export const versions: Command = {
  summary: 'print the texts that a message has had',
  words: ['MESSAGE_ID'],
  options: {},
  help: `Prints each text as a line of JSON (revision, text, since), the first one first, the present one last; of the former ones
the newest 50. A message that was deleted has none.`,
  examples: ["parley versions dm:ada:bob:7 | jq -ac '[.since, .text]'"],
  async run(call) {
    const [messageId = ''] = call.words
    await withSession(call, async (client) => {
      for (const version of (await client.messageVersions({ messageId })).versions) await call.output.print(version)
    })
  },
}

export const history: Command = {
  summary: 'print the messages of a conversation',
  words: ['CONVERSATION'],
  options: {
    limit: { value: 'N', help: 'at most so many, up to 100; otherwise 50' },
    before: { value: 'SEQ', help: 'the newest of those before this number' },
    after: { value: 'SEQ', help: 'the oldest of those after this number; 0 begins at the beginning' },
  },
  help: `CONVERSATION is a user id or the id of a conversation. Prints the newest messages, each as a line of JSON, the oldest
first. Messages are numbered 1, 2, 3 ... in each conversation (seq): for the page before, pass the first line's seq as
--before. One that was edited has editedAt and its latest text; one that was deleted has deletedAt and none.`,
  examples: [`parley history bob | jq -ac '[.sentAt, .sender, .text]'`, 'parley history bob --after 0 --limit 100'],
  async run(call) {
    const [conversation = ''] = call.words
    const places = Object.entries({
      limit: wholeNumber(call.values, 'limit', 1, limits.pageMax),
      before: wholeNumber(call.values, 'before', 1),
      after: wholeNumber(call.values, 'after'),
    }).filter(([, value]) => value !== undefined)
    await withSession(call, async (client) => {
      const { messages } = await client.history({ conversation, ...Object.fromEntries(places) })
      for (const message of messages) await call.output.print(message)
    })
  },
}

export const markRead: Command = {
  summary: 'mark a conversation as read, up to a message',
  words: ['MESSAGE_ID'],
  options: {},
  help: 'Everything up to and including this message counts as read, and its senders are told. Prints the receipt.',
  examples: ['parley mark-read "$(parley history bob --limit 1 | jq -r .id)"'],
  async run(call) {
    const [messageId = ''] = call.words
    await withSession(call, async (client) => call.output.print(await client.markRead({ messageId })))
  },
}
