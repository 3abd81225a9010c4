import { existsSync } from 'node:fs'
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type TestAPI, test, vi } from 'vitest'

const chromiumPath = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path))
if (!chromiumPath && process.env.REQUIRE_SERVICES === '1') {
  throw new Error('There is no Chromium (CHROMIUM names one), and REQUIRE_SERVICES=1 asks for it')
}
vi.setConfig({ testTimeout: 60_000 })

/** A test in a real Chromium; skipped, in words, where there is none. */
export const browserTest = (chromiumPath ? test : test.skip) as TestAPI
if (!chromiumPath) test.skip('There is no Chromium; CHROMIUM may name one')

export interface TestBrowser extends AsyncDisposable {
  /** A page in a context of its own: other cookies, other storage, as if at another machine. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>
  /** A further page in the context of that one. */
  beside(page: Page, url: string): Promise<Page>
  /** What pages complained of so far: exceptions, errors on the console, breaches of their policy. */
  complaints: string[]
}

/** Answers with an error status are what some tests ask for; the browser logs each. */
const isAnswer = /^Failed to load resource: the server responded with a status of [45]/

/** One Chromium, to be shared by the tests of a file. Its start takes a second. */
export const startBrowser = async (): Promise<TestBrowser> => {
  const browser = await chromium.launch({
    ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  const complaints: string[] = []

  const watch = async (context: BrowserContext, url: string): Promise<Page> => {
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => complaints.push(`${error}`))
    page.on('console', (message) => {
      if (message.type() === 'error' && !isAnswer.test(message.text())) complaints.push(message.text())
    })
    await page.goto(url)
    return page
  }

  return {
    complaints,
    async open(url, options = {}) {
      return watch(await browser.newContext(options), url)
    },
    beside: (page, url) => watch(page.context(), url),
    [Symbol.asyncDispose]: () => browser.close(),
  }
}
