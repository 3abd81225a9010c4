import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { startGarden } from '../harness/garden.ts'
import { startWorld } from '../harness/world.ts'
import { addPlace, openPanel, placeAt } from './panel-page.ts'

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

interface Findings {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
}

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 360, height: 740 } }

/** What axe finds that keeps somebody from using the page: wide and narrow, and in the dark what the colours change. */
const barriers = async (page: Page): Promise<string[]> => {
  await page.evaluate(await axe)
  const found: string[] = []
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    for (const colorScheme of ['light', 'dark'] as const) {
      // Without transitions, as those would be measured half-way.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const rules = colorScheme === 'dark' ? { runOnly: ['color-contrast'] } : {}
      const run = `axe.run(${JSON.stringify({ resultTypes: ['violations'], ...rules })})`
      const { violations } = (await page.evaluate(run)) as Findings
      for (const { id, impact, nodes } of violations) {
        if (impact !== 'serious' && impact !== 'critical') continue
        for (const node of nodes) found.push(`${size}, ${colorScheme}, ${id}: ${node.html}\n${node.failureSummary}`)
      }
    }
    const isTooWide = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    )
    if (isTooWide) found.push(`${size}: the page is wider than its window`)
  }
  await page.setViewportSize(sizes.wide)
  return found
}

browserTest(
  'nothing keeps anybody out, wide and narrow, light and dark: at the beginning, in errors, among events',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const page = await openPanel(visit, world.url, { viewport: sizes.wide })
    const ada = placeAt(page)
    await ada.fill({ username: 'a', password: 'x' })
    await ada.run('register')
    await ada.root.getByText('As code').click()
    expect(await barriers(page)).toEqual([])

    await ada.signUp('ada')
    await ada.choose('onMessage')
    await ada.start('onMessage')
    await ada.live('onMessage').locator('.log-event summary').first().click()
    await ada.say('ada', 'A note to myself')
    await ada.root.locator('.earlier-call summary').first().click()
    const bob = await addPlace(page)
    await bob.signUp('bob')
    await bob.root.getByRole('button', { name: 'Cut connection' }).click()
    await bob.choose('history')
    await bob.root.getByRole('radio', { name: 'JSON' }).check()
    expect(await barriers(page)).toEqual([])
    await ada.field('text').focus()
    expect(await barriers(page)).toEqual([])
  },
)

browserTest(
  'nothing keeps anybody out of a form with fields of all kinds, nor of a page that finds nothing',
  async () => {
    await using garden = await startGarden()
    await using visit = browser.visit()
    const page = await openPanel(visit, `${garden.url}/panel#plants.add`, { viewport: sizes.wide })
    const { root } = placeAt(page)
    await root.getByRole('button', { name: 'Add labels' }).click()
    await root.getByRole('button', { name: 'Add a name to labels' }).click()
    await root.getByRole('button', { name: 'Add position' }).click()
    expect(await barriers(page)).toEqual([])
    const lost = await openPanel(visit, `${garden.url}/panel#nothing`)
    expect(await barriers(lost)).toEqual([])
  },
)
