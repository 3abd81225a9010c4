import { describe, expect, test } from 'vitest'
import { createClient, type ErrorKind } from '../../client-sdk/src/node.ts'
import { chatOf } from '../harness/chat.ts'
import { startNetwork } from '../harness/network.ts'
import { createInbox } from '../harness/plain-client.ts'
import type { WebSockets } from '../harness/proxy.ts'
import { startScriptedServer } from '../harness/scripted-server.ts'
import { statesOf } from '../harness/states.ts'
import { shows } from '../harness/views.ts'
import { password, startWorld, type World } from '../harness/world.ts'

// A client is one user's until she is signed out, whatever becomes of sign-ins, sessions and tokens.

/** As a server says that a call cannot be served. */
const refusal = (kind: ErrorKind) => new Error(kind, { cause: { kind, retryable: true } })

/** A client that is connected, and nobody's. */
const connectStranger = async ({ url }: World) => {
  const client = createClient({ url })
  await expect(client.me()).rejects.toMatchObject({ kind: 'notSignedIn' })
  return client
}

describe.concurrent('sign-ins', () => {
  test('who logs out can log in at once, as somebody else', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada', 'bob')
    await ada.client.logout()
    expect(ada.client.state.status).toBe('signedOut')
    await ada.client.login({ username: 'bob', password })
    expect((await ada.client.me()).userId).toBe('bob')
  })

  test('of two sign-ins at once the second is refused, and the session kept is that of the connection', async () => {
    await using world = await startWorld()
    await world.people('ada', 'bob')
    const client = createClient({ url: world.url })
    const first = client.login({ username: 'ada', password })
    await expect(client.login({ username: 'bob', password })).rejects.toMatchObject({ kind: 'badRequest' })
    expect((await first).user.userId).toBe('ada')
    expect((await client.me()).userId).toBe('ada')
    await expect(client.login({ username: 'bob', password })).rejects.toMatchObject({ kind: 'badRequest' })
    client.close()
  })

  test('[P9] a sign-in that was given up is never carried on: what follows is another session', async () => {
    await using world = await startWorld()
    await world.people('ada')
    const client = await connectStranger(world)
    const over = new AbortController()
    const login = client.login({ username: 'ada', password }, { signal: over.signal })
    over.abort()
    await expect(login).rejects.toThrow('aborted')
    // By now, on the connection before, she would be signed in.
    await client.register({ username: 'bob', password })
    expect((await client.me()).userId).toBe('bob')
    client.close()
  })

  test('a sign-in on a live connection is told as what it is; the state stays as it is', async () => {
    await using world = await startWorld()
    await world.people('ada')
    const client = await connectStranger(world)
    const states = statesOf(client)
    const signIns: string[] = []
    const unlisten = client.onSignIn((userId) => signIns.push(userId))
    await client.login({ username: 'ada', password })
    expect(signIns).toEqual(['ada'])
    expect(states.statuses()).toEqual([])
    await client.logout()
    unlisten()
    await client.login({ username: 'ada', password })
    expect(signIns).toEqual(['ada'])
    client.close()
  })

  test.for<WebSockets>(['pass', 'refused'])(
    '[P9] a token function may give another session of the same user, and nobody else’s (WebSockets: %s)',
    async (webSockets) => {
      await using world = await startWorld({ webSockets })
      const [ada, bob] = await world.people('ada', 'bob')
      const phone = await world.device('ada')
      let token = ada.token
      const network = await startNetwork(world.proxy.url)
      const client = createClient({ url: network.url, token: () => token })
      const states = statesOf(client)
      const texts = createInbox<string>()
      const listen = async () => {
        for await (const { text } of client.messages()) texts.add(text)
      }
      const loop = listen()
      await states.next('live', 0)
      token = phone.token
      network.kick()
      await states.next('live')
      await bob.send('ada', 'one')
      await texts.until(() => texts.items.length === 1)
      token = bob.token
      network.kick()
      await states.next('signedOut')
      expect(client.state).toMatchObject({
        error: {
          kind: 'sessionEnded',
          message: 'The token is one of bob; this client is ada’s until she is signed out.',
        },
      })
      await expect(loop).rejects.toMatchObject({ kind: 'sessionEnded' })
      client.close()
      await network[Symbol.asyncDispose]()
    },
  )

  test.for<WebSockets>(['pass', 'refused'])(
    '[P9] a call that names its user is said for nobody else, and waits until it is known who is signed in (WebSockets: %s)',
    async (webSockets) => {
      await using world = await startWorld({ webSockets })
      const [ada] = await world.people('ada', 'bob')
      const client = createClient({ url: world.proxy.url, token: ada.token })
      // Both are given to a client that does not know yet whose its token is.
      const forBob = client.sendMessage({ to: 'bob', text: 'to myself' }, { as: 'bob' })
      const forAda = client.sendMessage({ to: 'bob', text: 'hello' }, { as: 'ada' })
      await expect(forBob).rejects.toMatchObject({
        kind: 'notSignedIn',
        message: 'This client is signed in as ada, not as bob.',
      })
      expect(await forAda).toMatchObject({ sender: 'ada', seq: 1 })
      await expect(client.events({ as: 'bob' }).next()).rejects.toMatchObject({ kind: 'notSignedIn' })
      expect((await client.events({ as: 'ada' }).next()).value).toMatchObject({ type: 'ready' })

      await client.logout()
      const late = client.conversations(undefined, { as: 'ada' })
      await expect(late).rejects.toMatchObject({ kind: 'notSignedIn' })
      await client.login({ username: 'bob', password })
      await expect(client.conversations(undefined, { as: 'ada' })).rejects.toMatchObject({ kind: 'notSignedIn' })
      expect((await client.conversations(undefined, { as: 'bob' })).conversations).toHaveLength(1)
      client.close()
    },
  )
})

test('[P9] a server that cannot say yet who is signed in is asked again, and what waits for it is said then', async () => {
  let asked = 0
  await using server = await startScriptedServer({
    me: () => (++asked === 1 ? refusal('unavailable') : { userId: 'ada' }),
    conversations: () => ({ conversations: [], nextCursor: null }),
    history: () => ({ messages: [], nextBefore: null }),
  })
  const client = createClient({ url: server.url, token: 'a token of hers' })
  const named = client.conversations(undefined, { as: 'ada' })
  // What names nobody does not wait.
  await client.history({ conversation: 'bob' })
  await named
  expect(asked).toBe(2)
  client.close()
})

test('[P9] while somebody else is signed in on its client, a chat reads, sends and shows nothing', async () => {
  await using world = await startWorld()
  const [ada, bob, eve] = await world.people('ada', 'bob', 'eve')
  await bob.send('ada', 'one')
  await using chat = chatOf(ada)
  const { client } = chat
  const view = chat.conversation('bob')
  await shows(view, ({ messages }) => messages.length === 1)
  await client.logout()
  await client.login({ username: 'eve', password })

  // Opened, asked for more, written to and marked: all of it waits.
  const notes = chat.conversation('ada')
  const isShown = [notes, chat.conversations].map((each) => each.subscribe(() => {}))
  const { sent } = view.send('two')
  view.markRead()
  await client.sendMessage({ to: 'eve', text: 'a note of hers' })
  expect(await eve.received(0)).toEqual([])
  expect((await client.conversations()).conversations.map(({ id }) => id)).toEqual(['dm:eve:eve'])
  expect([view, notes].map((each) => each.getSnapshot().error)).toEqual([null, null])
  // What was read before she left stays; it is nobody else's.
  const { error, conversations } = chat.conversations.getSnapshot()
  expect(error).toBeNull()
  expect(conversations.filter(({ id }) => id !== 'dm:ada:bob')).toEqual([])
  expect(view.getSnapshot().messages.map(({ status }) => status)).toEqual(['received', 'sending'])

  await client.logout()
  await client.login({ username: 'ada', password })
  await sent
  expect(await bob.received(1)).toEqual(['two'])
  await shows(chat.conversations, ({ conversations }) => conversations[0]?.lastMessage?.text === 'two')
  for (const end of isShown) end()
})
