import { expect, test } from 'vitest'
import { readEvents, type StreamEvent } from '../../client-sdk/src/transport/sse.ts'

// The SDK's own reader of server-sent events, as tRPC writes them.

const text = [
  'event: connected\ndata: {"a":1}\n\n\n',
  'event: ping\ndata: \n\n\n',
  `data: {"text":"a: b \u2028 👋 €"}\nid: v12\n\n\n`,
  ': a comment\n\n',
  'data: "cut off',
].join('')
const events: StreamEvent[] = [
  { type: 'connected', data: '{"a":1}', id: '' },
  { type: 'ping', data: '', id: '' },
  { type: 'message', data: '{"text":"a: b \u2028 👋 €"}', id: 'v12' },
]

test('events are the same wherever the network cuts their bytes in two', async () => {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at <= bytes.length; at++) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const part of [bytes.slice(0, at), bytes.slice(at)]) if (part.length > 0) controller.enqueue(part)
        controller.close()
      },
    })
    const read: StreamEvent[] = []
    let signs = 0
    await readEvents(
      body,
      () => signs++,
      (event) => read.push(event),
    )
    expect(read).toEqual(events)
    expect(signs).toBeGreaterThan(0)
  }
})
