import { type TestAPI, test } from 'vitest'
import { chromiumPath } from './chromium.ts'

export { startBrowser, type TestBrowser, type Visit } from './chromium.ts'

if (!chromiumPath && process.env.REQUIRE_SERVICES === '1') {
  throw new Error('There is no Chromium (CHROMIUM names one), and REQUIRE_SERVICES=1 asks for it')
}

/** A test in a real Chromium; skipped, in words, where there is none. */
export const browserTest = (chromiumPath ? test : test.skip) as TestAPI
if (!chromiumPath) test.skip('There is no Chromium; CHROMIUM may name one')
