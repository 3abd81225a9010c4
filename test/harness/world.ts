import { type ChatClient, createClient, type Message } from '../../client-sdk/src/node.ts'
import { type App, type AppOptions, startApp } from '../../server/app.ts'
import type { Config } from '../../server/config.ts'
import { temporaryDirectory } from './directory.ts'
import { type Network, startNetwork } from './network.ts'
import { connectPlain, createInbox } from './plain-client.ts'
import { type BlockingProxy, startProxy, type WebSockets } from './proxy.ts'

export const password = 'correct horse battery'

/** Somebody at a device of hers, behind a network of its own. */
export interface Person extends AsyncDisposable {
  name: string
  token: string
  client: ChatClient
  network: Network
  /** Sends one after the other. */
  send(to: string, ...texts: string[]): Promise<Message[]>
  /** The texts that came to her so far from others, once there are so many. */
  received(count: number): Promise<string[]>
  /** All that came to this device, own messages too. */
  inbox: ReturnType<typeof createInbox<Message>>
}

export interface World extends AsyncDisposable {
  app: App
  url: string
  config: Config
  /** Between everybody's network and the app. @throws where the world was started without `webSockets` */
  readonly proxy: BlockingProxy
  /** New people, each with a device that listens. */
  people<Names extends string[]>(...names: Names): Promise<{ [Index in keyof Names]: Person }>
  /** Another device of the same person, with a session of its own; it listens. */
  device(name: string): Promise<Person>
  /** The official tRPC client. */
  plain(token?: string): ReturnType<typeof connectPlain>
  /** Stops the app in an orderly way and starts it on the same data. @param port the same, if left out; 0: another */
  restart(port?: number): Promise<void>
}

export interface WorldOptions extends AppOptions {
  config?: Partial<Config>
  /** Puts a proxy before the app that does this to WebSockets. */
  webSockets?: WebSockets
}

/** The real app on a real socket and a real store, in a folder of its own. */
export const startWorld = async (worldOptions: WorldOptions = {}): Promise<World> => {
  const { config: overrides = {}, webSockets, ...options } = worldOptions
  const directory = await temporaryDirectory()
  const config: Config = {
    host: '127.0.0.1',
    port: 0,
    dataDirectory: directory.path,
    mongodbUri: null,
    redisUrl: null,
    publicUrl: null,
    allowedOrigins: [],
    trustedProxies: [],
    rateLimits: false,
    registrationsPerHour: 20,
    storagePerUser: 64,
    editWindowMinutes: null,
    logLevel: 'silent',
    ...overrides,
  }
  const guests: AsyncDisposable[] = []
  let app = await startApp(config, options)
  const proxy = webSockets && (await startProxy(app.url, webSockets))

  const device = async (name: string, isNew: boolean): Promise<Person> => {
    const network = await startNetwork((proxy ?? app).url)
    const client = createClient({ url: network.url })
    const { session } = await (isNew
      ? client.register({ username: name, password })
      : client.login({ username: name, password }))
    const inbox = createInbox<Message>()
    const listen = async () => {
      for await (const message of client.messages()) inbox.add(message)
    }
    listen().catch(inbox.fail)
    const person: Person = {
      name,
      token: session.token,
      client,
      network,
      inbox,
      async send(to, ...texts) {
        const sent: Message[] = []
        for (const text of texts) sent.push(await client.sendMessage({ to, text }))
        return sent
      },
      async received(count) {
        const isOthers = (message: Message): message is Message => message.sender !== name
        return (await inbox.some(count, isOthers)).map(({ text }) => text)
      },
      async [Symbol.asyncDispose]() {
        client.close()
        await network[Symbol.asyncDispose]()
      },
    }
    guests.push(person)
    return person
  }

  const world: World = {
    get app() {
      return app
    },
    get url() {
      return app.url
    },
    config,
    get proxy() {
      if (!proxy) throw new Error('This world has no proxy')
      return proxy
    },
    people: async (...names) => {
      const people = await Promise.all(names.map((name) => device(name, true)))
      return people as { [Index in keyof typeof names]: Person }
    },
    device: (name) => device(name, false),
    plain(token) {
      const client = connectPlain(app.url, token)
      guests.push(client)
      return client
    },
    async restart(port = Number(new URL(app.url).port)) {
      await app[Symbol.asyncDispose]()
      app = await startApp({ ...config, port }, options)
    },
    async [Symbol.asyncDispose]() {
      for (const guest of guests) await guest[Symbol.asyncDispose]()
      await proxy?.[Symbol.asyncDispose]()
      await app[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
  return world
}
