import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { startGarden } from '../harness/garden.ts'
import { startWorld } from '../harness/world.ts'
import { barriers, sizes } from './barriers.ts'
import { addPlace, openPanel, placeAt } from './panel-page.ts'

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

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
