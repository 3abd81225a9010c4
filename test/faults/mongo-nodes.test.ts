import { describe, expect, test } from 'vitest'
import { openMongoStore } from '../../server/store/mongo/open.ts'
import { startHeldNetwork } from '../harness/held-network.ts'
import { findTestMongo, temporaryDatabase } from '../harness/mongo.ts'
import { type NodesOptions, startNodes } from '../harness/nodes.ts'
import { isMessage } from '../harness/plain-client.ts'
import { redisIsInstalled } from '../harness/redis.ts'
import type { Person, World } from '../harness/world.ts'

const { uri: server, missing: noMongo } = await findTestMongo()
const missing = noMongo ?? (redisIsInstalled ? null : 'redis-server is not installed')

type Opening = Omit<Parameters<typeof openMongoStore>[0], 'uri'> & { uri?: string }

/** Two nodes on one database, of which the first is opened in its own way. */
const startTwo = (first: (uri: string) => Opening, options: NodesOptions = {}) => {
  const database = temporaryDatabase(server as string)
  let isFirst = true
  const openShared = async () => ({
    open() {
      const own = isFirst ? first(database.uri) : {}
      isFirst = false
      return openMongoStore({ uri: database.uri, ...own })
    },
    [Symbol.asyncDispose]: database.drop,
  })
  return startNodes(2, { ...options, openShared })
}

/** A plain client of this person that follows, from what is new. */
const following = async (node: World, person: Person) => {
  const follow = node.plain(person.token).follow({ ack: 'client' })
  await follow.first((event): event is typeof event => event.type === 'caughtUp')
  const texts = () => follow.items.filter(isMessage).map(({ message }) => message.text)
  return { texts, shows: (text: string) => follow.until(() => texts().includes(text)) }
}

describe.skipIf(missing !== null)(`nodes on one MongoDB${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test('[P5] what is stored after its sender was told that it may not be is told all the same', async () => {
    const { port, pathname } = new URL((server as string).replace('mongodb:', 'http:'))
    expect(pathname).toBe('/')
    await using network = await startHeldNetwork(Number(port))
    await using world = await startTwo((uri) => ({
      uri: `mongodb://127.0.0.1:${network.port}${new URL(uri.replace('mongodb:', 'http:')).pathname}?directConnection=true`,
    }))
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob, cyd] = await two.people('bob', 'cyd')
    await ada.send('bob', 'first')
    const bobs = await following(two, bob)
    const onItsWay = network.holdFrom('late one')
    const told = one
      .plain(ada.token)
      .api.sendMessage.mutate({ to: 'bob', text: 'late one' })
      .catch((error) => error.data.kind)
    await onItsWay
    expect(await told).toBe('unavailable')
    // So that nobody is behind who has not had it.
    await cyd.send('bob', 'of later')
    await bobs.shows('of later')
    network.deliver()
    await bobs.shows('late one')
  })

  test('[P5] a clock that is set wrong for a moment brings nothing into the world that others would be taken for older than', async () => {
    let aheadMs = 0
    await using world = await startTwo(() => ({ now: () => Date.now() + aheadMs }))
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob, cyd] = await two.people('bob', 'cyd')
    const bobs = await following(two, bob)
    aheadMs = 3_600_000
    const send = (text: string) => one.plain(ada.token).api.sendMessage.mutate({ to: 'bob', text })
    await expect(send('from the future')).rejects.toMatchObject({ data: { kind: 'unavailable' } })
    const ready = await fetch(`${one.url}/readyz`)
    expect(ready.status).toBe(503)
    expect((await ready.json()).reason).toMatch(/^The clock of this machine is \d+\.\d s ahead of the database's;/)
    aheadMs = 0
    await cyd.send('bob', 'of now')
    await bobs.shows('of now')
    await send('of now as well')
    await bobs.shows('of now as well')
  })

  test('[P5] while Redis is away, also what a node with a slower clock stores last is read soon', async () => {
    await using world = await startTwo(() => ({ now: () => Date.now() - 1_500 }))
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    // Its acknowledgements would wake the feed.
    bob.client.close()
    const bobs = await following(two, bob)
    await world.redis.stop()
    await expect.poll(async () => (await (await fetch(`${two.url}/readyz`)).json()).trouble).toBeTruthy()
    for (const text of ['one', 'two']) {
      await ada.send('bob', text)
      await bobs.shows(text)
    }
    expect(new Set(bobs.texts())).toEqual(new Set(['one', 'two']))
  })
})
