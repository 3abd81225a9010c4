import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { hangMs } from './patience.ts'

export const chromiumPath = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path))

export interface TestBrowser extends AsyncDisposable {
  /** All that one test does in the browser. */
  visit(): Visit
}

/** Closing it fails where a page complained: of an exception, of an error on the console, of a breach of its policy. */
export interface Visit extends AsyncDisposable {
  /** A page in a context of its own: other cookies, other storage, as if at another machine. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>
  /** A further page in the context of that one. */
  beside(page: Page, url: string): Promise<Page>
  /** Complaints of this kind are what the test is about. */
  expect(complaint: RegExp): void
}

/** Answers with an error status are what some tests ask for; the browser logs each. */
const answers = /^Failed to load resource: the server responded with a status of [45]/

/** One Chromium, to be shared by the tests of a file. Its start takes a second. */
export const startBrowser = async (): Promise<TestBrowser> => {
  const browser = await chromium.launch({
    ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  return {
    visit: () => startVisit(browser),
    [Symbol.asyncDispose]: () => browser.close(),
  }
}

const startVisit = (browser: Browser): Visit => {
  const contexts: BrowserContext[] = []
  const complaints: string[] = []
  const expected = [answers]

  const openIn = async (context: BrowserContext, url: string): Promise<Page> => {
    const page = await context.newPage()
    // Before the test itself is given up, so that what it waited for is said.
    page.setDefaultTimeout(hangMs * 0.8)
    page.on('pageerror', (error) => complaints.push(`${error}`))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(url)
    return page
  }
  return {
    async open(url, options = {}) {
      const context = await browser.newContext(options)
      contexts.push(context)
      return openIn(context, url)
    },
    beside: (page, url) => openIn(page.context(), url),
    expect: (complaint) => void expected.push(complaint),
    async [Symbol.asyncDispose]() {
      for (const context of contexts) await context.close()
      const unexpected = complaints.filter((text) => !expected.some((pattern) => pattern.test(text)))
      if (unexpected.length > 0) throw new Error(`Pages complained:\n${unexpected.join('\n')}`)
    },
  }
}
