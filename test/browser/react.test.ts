import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, vi } from 'vitest'
import { WebSocket as NodeWebSocket } from 'ws'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { programs, readDocument, root } from '../harness/documents.ts'
import type { ReactPage } from '../harness/react-page.tsx'
import { BobsPage } from '../harness/react-tree.tsx'
import { sdkFolder, startSite } from '../harness/site.ts'
import { password, startWorld } from '../harness/world.ts'

// The SDK's React hooks in a real browser, with React as developers have it: StrictMode mounts everything twice.

declare global {
  var page: ReactPage
}

let browser: TestBrowser
let script: string
let example: string
beforeAll(async () => {
  const page = fileURLToPath(new URL('../harness/react-page.tsx', import.meta.url))
  ;[browser, script, example] = await Promise.all([startBrowser(), bundle(page), bundle(examplePath)])
})
afterAll(() => browser?.[Symbol.asyncDispose]())

/** The application of the SDK's README, on a page whose address names the server. */
const examplePath = join(root, 'client-sdk/example-of-the-readme.tsx')
const readmeExample = {
  name: 'readme-example',
  resolveId: (id: string) => (id === examplePath ? id : null),
  async load(id: string) {
    if (id !== examplePath) return null
    const [program] = programs(await readDocument('client-sdk/README.md'), 'tsx')
    return `import { StrictMode } from 'react'
      import { createRoot } from 'react-dom/client'
      ${program}
      const url = new URLSearchParams(location.search).get('server')
      createRoot(document.getElementById('page')).render(<StrictMode><App url={url} /></StrictMode>)`
  },
}

/** A page's script, on the SDK as it is shipped. */
const bundle = async (input: string): Promise<string> => {
  const built = await build({
    configFile: false,
    root,
    logLevel: 'error',
    plugins: [readmeExample],
    define: { 'process.env.NODE_ENV': '"development"' },
    resolve: {
      alias: [
        { find: /^(?:\.\.\/)+client-sdk\/src\/(.*)\.ts$/, replacement: `${sdkFolder}/$1.js` },
        { find: /^@parley\/client$/, replacement: `${sdkFolder}/index.js` },
        { find: /^@parley\/client\/react$/, replacement: `${sdkFolder}/react.js` },
      ],
    },
    build: {
      write: false,
      minify: false,
      rolldownOptions: { input },
    },
  })
  const outputs = [built].flat() as { output: { code?: string }[] }[]
  return outputs.flatMap(({ output }) => output.map((chunk) => chunk.code ?? '')).join('')
}

/** Bob's page beside him and Ada in Node, with one message of hers. @param rendered what a server made of it */
const openWorld = async (rendered = '') => {
  const html = `<!doctype html><title>A page</title><div id="page">${rendered}</div><script type="module" src="/page.js"></script>`
  const site = await startSite({ '/': html, '/page.js': script }, {})
  const world = await startWorld({ config: { allowedOrigins: [site.url] } })
  const [ada, bob] = await world.people('ada', 'bob')
  await ada.send('bob', 'Hello, Bob')
  const visit = browser.visit()
  const page = await visit.open(site.url)
  await page.waitForFunction(() => 'page' in globalThis)
  return {
    world,
    ada,
    bob,
    page,
    options: { url: bob.network.url, userId: 'bob', token: bob.token },
    shows: (...texts: string[]) =>
      page.waitForFunction((texts) => {
        const shown = Array.from(document.querySelectorAll('.message'), ({ textContent }) => textContent)
        return JSON.stringify(shown) === JSON.stringify(texts)
      }, texts),
    /** As many sockets as were made, in the order of their making; true: it is open or about to be. */
    sockets: (...open: boolean[]) =>
      page.waitForFunction(
        (open) =>
          JSON.stringify(globalThis.page.sockets.map((socket) => socket.readyState <= 1)) === JSON.stringify(open),
        open,
      ),
    async say(text: string) {
      await page.getByLabel('Text').fill(text)
      await page.getByLabel('Text').press('Enter')
    },
    async [Symbol.asyncDispose]() {
      await visit[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}

describe('the React hooks', () => {
  browserTest(
    '[P2] [P3] under StrictMode a page has one connection, shows, sends, edits and deletes, and closes',
    async () => {
      await using opened = await openWorld()
      const { ada, bob, page, options, shows, sockets, say } = opened
      await page.evaluate((options) => globalThis.page.render(options), options)
      await shows('Hello, Bob')
      await page.getByText('dm:ada:bob: 0 unread').waitFor()
      await page.locator('#ada', { hasText: 'online' }).waitFor()
      await say('Hello, Ada')
      expect(await ada.received(1)).toEqual(['Hello, Ada'])
      await page.getByRole('button', { name: 'Edit' }).last().click()
      await shows('Hello, Bob', 'Hello, Ada, edited')
      await page.getByRole('button', { name: 'Delete' }).last().click()
      await shows('Hello, Bob', 'deleted')
      await page.locator('#outgoing', { hasText: '0' }).waitFor()
      const { messages } = await bob.client.history({ conversation: 'ada' })
      expect(messages.map(({ text, revision }) => [text, revision])).toEqual([
        ['Hello, Bob', 1],
        ['', 2],
      ])
      await sockets(true)

      await page.evaluate(() => globalThis.page.unmount())
      await sockets(false)
    },
  )

  browserTest('[P3] mounted again, it goes on with what came meanwhile', async () => {
    await using opened = await openWorld()
    const { ada, page, options, shows, sockets, say } = opened
    await page.evaluate((options) => globalThis.page.render(options), options)
    await shows('Hello, Bob')
    await page.evaluate(() => globalThis.page.unmount())
    await sockets(false)
    await ada.send('bob', 'Still there?')
    await page.evaluate((options) => globalThis.page.render(options), options)
    await shows('Hello, Bob', 'Still there?')
    await say('Again')
    expect(await ada.received(1)).toEqual(['Again'])
    await sockets(false, true)
  })

  browserTest(
    '[P2] what a handler sends behind the end of its component is sent when it is mounted again',
    async () => {
      await using opened = await openWorld()
      const { ada, page, options, shows, sockets } = opened
      await page.evaluate((options) => globalThis.page.render(options), options)
      await shows('Hello, Bob')
      await page.evaluate(() => globalThis.page.unmount())
      await sockets(false)
      await page.evaluate(() => void globalThis.page.handle?.open().chat.send({ to: 'ada', text: 'Late' }))
      await page.evaluate((options) => globalThis.page.render(options), options)
      expect(await ada.received(1)).toEqual(['Late'])
      await shows('Hello, Bob', 'Late')
      // The handler's own chat may have got as far as to a connection.
      await page.waitForFunction(
        () => globalThis.page.sockets.filter(({ readyState }) => readyState <= WebSocket.OPEN).length === 1,
      )
    },
  )

  browserTest('effects that end and begin again in one turn keep the connection, as with fast refresh', async () => {
    await using opened = await openWorld()
    const { ada, page, options, shows, sockets } = opened
    await page.evaluate((options) => globalThis.page.render(options), options)
    await shows('Hello, Bob')
    await page.evaluate((options) => globalThis.page.renew(options), options)
    await ada.send('bob', 'Still there?')
    await shows('Hello, Bob', 'Still there?')
    await sockets(true)
    await page.evaluate((options) => globalThis.page.render(options, 'hidden'), options)
    await sockets(false)
  })

  browserTest('a render with new functions keeps the connection, one with another session has a new one', async () => {
    await using opened = await openWorld()
    const { world, page, options, shows, sockets } = opened
    await page.evaluate((options) => globalThis.page.renderAsking(options), options)
    await shows('Hello, Bob')
    await page.evaluate((options) => globalThis.page.renderAsking(options), options)
    await page.locator('#state', { hasText: 'live' }).waitFor()
    await sockets(true)
    expect(await page.evaluate(() => globalThis.page.asked)).toBe(1)
    const { token } = await world.device('bob')
    await page.evaluate((options) => globalThis.page.render(options), { ...options, token })
    await sockets(false, true)
    await page.locator('#state', { hasText: 'live' }).waitFor()
    await shows('Hello, Bob')
  })

  browserTest('a server that renders connects to nothing, and the page takes over what it rendered', async () => {
    await using world = await startWorld()
    const [, bob] = await world.people('ada', 'bob')
    const { url } = bob.network
    const before = bob.network.connections
    // As Node 22 has it.
    vi.stubGlobal('WebSocket', NodeWebSocket)
    const rendered = renderToString(createElement(BobsPage, { url, userId: 'bob', token: bob.token }))
    // A connection that comes later than any that the render began.
    await fetch(`${url}/health`)
    vi.unstubAllGlobals()
    expect(bob.network.connections).toBe(before + 1)
    expect(rendered).toContain('<output id="state">idle</output>')

    await using opened = await openWorld(rendered)
    await opened.page.evaluate((options) => globalThis.page.hydrate(options), opened.options)
    await opened.shows('Hello, Bob')
    await opened.say('Hydrated')
    expect(await opened.ada.received(1)).toEqual(['Hydrated'])
    await opened.sockets(true)
  })

  browserTest('a page takes over what a server rendered also where its chat is live already', async () => {
    const rendered = renderToString(createElement(BobsPage, { url: 'http://127.0.0.1:1', userId: 'bob' }))
    await using opened = await openWorld(rendered)
    const { page, options, shows } = opened
    await page.evaluate((options) => globalThis.page.openChat(options), options)
    await page.evaluate(() => globalThis.page.hydrateOpened())
    await shows('Hello, Bob')
  })

  browserTest('[P2] the application of the README signs in, shows, sends, edits, and signs out', async () => {
    const html =
      '<!doctype html><title>A page</title><div id="page"></div><script type="module" src="/page.js"></script>'
    await using site = await startSite({ '/': html, '/page.js': example }, {})
    await using world = await startWorld({ config: { allowedOrigins: [site.url] } })
    const [ada] = await world.people('ada', 'bob')
    await ada.send('bob', 'Hello, Bob')
    await using visit = browser.visit()
    const page = await visit.open(`${site.url}?server=${world.url}`)
    page.on('dialog', (dialog) => dialog.accept('Hello, dear Ada'))

    await page.getByLabel('Username').fill('bob')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'ada, bob: 1 unread' }).click()
    await page.getByText('ada: Hello, Bob (received)').waitFor()
    await page.getByRole('button', { name: 'ada, bob: 0 unread' }).waitFor()
    await page.getByLabel('Text').fill('Hello, Ada')
    await page.getByLabel('Text').press('Enter')
    expect(await ada.received(1)).toEqual(['Hello, Ada'])
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByText(/^bob: Hello, dear Ada \(edited, /).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
  })
})
