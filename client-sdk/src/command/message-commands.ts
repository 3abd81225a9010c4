import { limits } from '../../../server/contract/limits.ts'
import { type Command, text, wholeNumber } from './command.ts'
import { readAll } from './input.ts'
import { withSession } from './server.ts'

export const send: Command = {
  summary: 'send a message',
  words: ['TO', 'TEXT'],
  options: {
    'client-message-id': { value: 'ID', help: 'your name for this message: the same again is not sent twice' },
  },
  help: `TO is a username or the id of a conversation. TEXT is one argument, or - for stdin, whose last line break is left out.
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
    const body = given === '-' ? (await readAll(call.stdin)).replace(/\r?\n$/, '') : given
    await withSession(call, async (client) => {
      const draft = { to, text: body, ...(clientMessageId !== undefined && { clientMessageId }) }
      await call.output.print(await client.sendMessage(draft))
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
  help: `CONVERSATION is a username or the id of a conversation. Prints the newest messages, each as a line of JSON, the oldest
first. Messages are numbered 1, 2, 3 ... in each conversation (seq): for the page before, pass the first line's seq as
--before.`,
  examples: [
    `parley history bob | jq -r '"\\(.sentAt) \\(.sender): \\(.text)"'`,
    'parley history bob --after 0 --limit 100',
  ],
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
