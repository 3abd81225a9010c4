import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { startBrowser } from '../harness/chromium.ts'
import { startWorld } from '../harness/world.ts'
import { addPlace, openPanel, placeAt } from './panel-page.ts'

/**
 * Pictures of the pages with two people at them, wide and narrow, light and dark:
 * `node dist/test/browser/screenshots.js [folder]`. They are to be looked at; two of them stand in the README.
 */
const folder = process.argv[2] ?? '.pictures'
const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } }
const schemes = ['light', 'dark'] as const

const take = async (page: Page, name: string) => {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const path = join(folder, `${name}-${size}-${colorScheme}.png`)
      await page.screenshot({ path })
      process.stdout.write(`${path}\n`)
    }
  }
  await page.setViewportSize(sizes.wide)
}

await mkdir(folder, { recursive: true })
await using world = await startWorld()
await using browser = await startBrowser()
await using visit = browser.visit()

const page = await openPanel(visit, world.url, { viewport: sizes.wide })
const ada = placeAt(page)
await take(page, 'panel-first')
await ada.fill({ username: 'ada', password: 'short' })
await ada.run('register')
await take(page, 'panel-error')

await ada.signUp('ada')
await ada.choose('onMessage')
await ada.start('onMessage')
await ada.live('onMessage').getByText('caughtUp').waitFor()
const bob = await addPlace(page)
await bob.signUp('bob')
await bob.say('ada', 'Hello, Ada! Shall we meet at the pier?')
await ada.say('bob', 'Hello, Bob! At nine?')
await ada.choose('onMessage')
await bob.say('ada', 'Nine it is. I bring the tea.')
await ada.live('onMessage').getByText('Nine it is').waitFor()
await ada.live('onMessage').locator('.log-event summary', { hasText: 'Nine it is' }).click()
await bob.root.evaluate((column) => column.scrollTo(0, 0))
await take(page, 'panel')

await ada.root.getByRole('button', { name: 'Cut connection' }).click()
await bob.say('ada', 'Are you still there?')
await bob.root.getByText('As code').click()
await bob.root.getByRole('radio', { name: 'curl' }).check()
await take(page, 'panel-cut')
