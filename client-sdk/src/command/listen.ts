import type { FeedEvent } from '../events/feed.ts'
import { type Command, text, wholeNumber } from './command.ts'
import { openCursorFile } from './cursor-file.ts'
import type { Output } from './output.ts'
import { withSession } from './server.ts'

export const listen: Command = {
  summary: 'print what comes in, as it comes',
  words: [],
  options: {
    messages: { help: 'only messages, as history prints them; otherwise all events' },
    cursor: { value: 'FILE', help: 'keep the place in this file, and go on behind it' },
    count: { value: 'N', help: 'end after so many lines' },
  },
  help: `Prints each event as a line of JSON. Its type is one of:

  ready           the first one; replay says whether all that was missed follows (complete) or is read from the history (reset)
  message         a message that is new to you; own messages are among them
  messageChanged  a message as it is now: it was edited (editedAt) or deleted (deletedAt); the later one has the higher version
  receipt         how far somebody has got and read a conversation
  user            a profile as it is now: somebody you share a conversation with, or you, has another displayName
  caughtUp        once: all that was missed has come
  rewound         rare: the server's store was restored from a backup; of conversationId all after afterSeq is void

It begins with what was never delivered to you, goes on live, and waits through lost connections by itself. A message counts
as delivered once it was printed. With --messages it prints each message once, as it was when it came.

With --cursor a restart goes on behind the last event that was printed, and nothing is lost or comes twice; only what
was printed in the moment of a kill -9 or a power cut may come again. Use one file for each user and server. When more
was missed than the server replays, a ready event says replay: reset (with --messages: stderr says so); the rest of
those conversations is read from their history by itself.

It ends with 0 on SIGINT, SIGTERM and when nobody reads its output any more, and with 3 when the session has ended.`,
  examples: [
    `parley listen --messages --cursor ~/.ada.cursor | while read -r line; do jq -a .text <<< "$line"; done`,
    'parley listen --messages --count 1 | jq -a .text',
    `parley listen | jq -ac 'select(.type == "messageChanged") | .message'`,
  ],
  async run(call) {
    const { values, output } = call
    const count = wholeNumber(values, 'count', 1) ?? Number.POSITIVE_INFINITY
    const file = text(values, 'cursor')
    const lineOf = values.messages ? messageOf : (event: FeedEvent) => event
    let printed = 0

    await withSession(call, async (client) => {
      const place = file === undefined ? null : openCursorFile(file)
      const stop = untilStopped()
      for await (const event of client.events({ cursor: place?.cursor, signal: stop.signal })) {
        const line = lineOf(event)
        if (line) await output.print(line)
        else tellOfReset(event, output)
        place?.keep(event.cursor)
        // By `break` the last one would not count as delivered.
        if (line && ++printed === count) stop.abort()
      }
    })
  },
}

const messageOf = (event: FeedEvent) => (event.type === 'message' ? event.message : null)

const tellOfReset = (event: FeedEvent, output: Output) => {
  if (event.type !== 'ready' || event.replay === 'complete') return
  const ids = event.conversations.map(({ conversationId }) => conversationId)
  output.notice(`much was missed; reading it from the history of ${ids.join(', ')}`)
}

/** The second signal of its kind ends the process as if nobody had listened to the first. */
const untilStopped = (): AbortController => {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())
  return stop
}
