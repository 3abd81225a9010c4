import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, type TestAPI, test } from 'vitest'

const places = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const executablePath = places.find((path) => path && existsSync(path))
if (!executablePath && process.env.REQUIRE_SERVICES === '1') {
  throw new Error('There is no Chromium (CHROMIUM names one), and REQUIRE_SERVICES=1 asks for it')
}

/** A test in a real Chromium, one for all tests of a file; skipped, in words, where there is none. */
export const testInBrowser = (executablePath ? test : test.skip) as TestAPI
if (!executablePath) test.skip('There is no Chromium; CHROMIUM may name one')

let browser: Promise<Browser> | undefined
afterAll(async () => (await browser)?.close())

/** An empty page of its own, at an address of its own. */
export interface OpenPage extends AsyncDisposable {
  page: Page
  /** What went wrong in the page where nobody caught it. */
  errors: string[]
}

/** Opens a page of this site. */
export const openPage = async (site: Site, path = '/'): Promise<OpenPage> => {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
  browser ??= chromium.launch({ ...(executablePath && { executablePath }), args })
  const context = await (await browser).newContext()
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(site.url + path)
  return { page, errors, [Symbol.asyncDispose]: () => context.close() }
}

export interface Site extends AsyncDisposable {
  url: string
}

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/**
 * Serves pages for a test.
 * @param pages by path, as HTML
 * @param folders by the first part of the path, as `sdk` for `/sdk/index.js`
 */
export const startSite = async (pages: Record<string, string>, folders: Record<string, string>): Promise<Site> => {
  const server = createServer(async (req, res) => {
    const path = normalize(new URL(req.url ?? '', 'http://site').pathname)
    const [, first = '', ...rest] = path.split('/')
    const folder = folders[first]
    try {
      const body = pages[path] ?? (folder && (await readFile(join(folder, ...rest))))
      if (body === undefined) throw new Error('not here')
      res.setHeader('content-type', types[extname(path) || '.html'] ?? 'application/octet-stream')
      res.end(body)
    } catch {
      res.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The SDK as browsers get it: `npm run build:sdk` has made it. */
export const sdkFolder = fileURLToPath(new URL('../../client-sdk/dist', import.meta.url))
