import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build } from 'vite'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { ChatMessage, createChat, createClient, Message } from '../../client-sdk/src/index.ts'
import { startNetwork } from '../harness/network.ts'
import { shows } from '../harness/views.ts'
import { password, startWorld } from '../harness/world.ts'

// The package as a bundler makes it, where there is nothing but the language and what React Native has of the web: no `crypto`,
// `document`, events of the window, IndexedDB, `navigator`, `AbortSignal.any`, `structuredClone`, and no reasons of aborts.

interface Sdk {
  createChat: typeof createChat
  createClient: typeof createClient
}

class BareWebSocket extends WebSocket {
  // As in browsers.
  override terminate = undefined as never
}
class BareAbortController extends AbortController {
  constructor() {
    super()
    const missing = { value: undefined }
    Object.defineProperties(this.signal, { reason: missing, throwIfAborted: missing })
  }
}
const platform = {
  WebSocket: BareWebSocket,
  AbortController: BareAbortController,
  fetch,
  setTimeout,
  clearTimeout,
  queueMicrotask,
  performance,
  URL,
  TextEncoder,
  TextDecoder,
}

const bundle = async (): Promise<string> => {
  const entry = fileURLToPath(new URL('../../client-sdk/dist/index.js', import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'sdk' } },
  })
  const [chunk] = [built].flat().flatMap((each) => ('output' in each ? each.output : []))
  return (chunk as { code: string }).code
}

/** The SDK in a realm of its own, which has these alone. */
const sdkIn = async (globals: object): Promise<Sdk> => {
  const realm = createContext({ ...globals })
  runInContext(await bundle(), realm)
  return runInContext('sdk', realm) as Sdk
}

test('[P2] [P4] where only the basics of the web platform are, people sign in, send, receive, and leave', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  await using network = await startNetwork(world.url)
  const sdk = await sdkIn(platform)
  const client = sdk.createClient({ url: network.url })
  const { user } = await client.register({ username: 'bob', password })
  expect((await client.sendMessage({ to: 'ada', text: 'one' })).seq).toBe(1)

  const chat = sdk.createChat(client, { userId: user.userId })
  const conversation = chat.conversation('ada')
  const online = chat.presence()
  const isShown = (texts: string[]) =>
    shows(conversation, ({ messages }) => String(messages.map(({ text }: ChatMessage) => text)) === String(texts))
  await Promise.all([isShown(['one']), shows(online, (statuses) => statuses.has('ada'))])
  network.kick()
  conversation.send('two')
  expect(await ada.received(2)).toEqual(['one', 'two'])
  await ada.send('bob', 'three')
  await isShown(['one', 'two', 'three'])

  const left = new AbortController()
  const loop = client.messages({ signal: left.signal })
  const past: Message[] = []
  for await (const message of client.pastMessages({ conversation: 'ada' })) past.push(message)
  expect(past.map(({ text }) => text)).toEqual(['three', 'two', 'one'])
  left.abort()
  expect((await loop.next()).done).toBe(true)

  const given = new BareAbortController()
  network.freeze()
  const answer = client.me(undefined, { signal: given.signal })
  given.abort()
  await expect(answer).rejects.toThrow('aborted')
  await chat.close()
  client.close()
})

test('ids of messages differ without `crypto`, also those of two programs', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob')
  const sdks = [await sdkIn(platform), await sdkIn(platform)]
  const clients = sdks.map(({ createClient }) => createClient({ url: world.url, token: ada.token }))
  const sends = clients.flatMap((client) =>
    Array.from({ length: 50 }, () => client.sendMessage({ to: 'bob', text: 'same' })),
  )
  const sent = await Promise.all(sends)
  expect(new Set(sent.map(({ clientMessageId }) => clientMessageId)).size).toBe(100)
  for (const client of clients) client.close()
})
