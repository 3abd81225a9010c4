import superjson from 'superjson'
import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { startGarden } from '../harness/garden.ts'
import { openPanel, placeAt } from './panel-page.ts'

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

browserTest(
  'a router of somebody else: its fields of all kinds are filled in a form, and arrive as what they are',
  async () => {
    await using garden = await startGarden(superjson)
    await using visit = browser.visit()
    const page = await openPanel(visit, `${garden.url}/panel#plants.add`)
    const place = placeAt(page)
    const { root } = place
    expect(await page.title()).toBe('Garden panel')
    await root.getByText('text · 2 to 40 characters').waitFor()
    await root.getByText('What it is called here.').waitFor()

    await place.fill({ name: 'Ash' })
    await place.field('sort').selectOption('tree')
    await place.fill({ planted: '2020-02-29T08:30:00', height: '7.5' })
    // The list begins with as many items as it must have, and takes no more than it may.
    await place.fill({ 'beds 1': '3' })
    await root.getByRole('button', { name: 'Add an item to beds' }).click()
    await page.keyboard.type('4')
    await root.getByRole('button', { name: 'Add an item to beds' }).click()
    expect(await root.getByRole('button', { name: 'Add an item to beds' }).isDisabled()).toBe(true)
    await root.getByRole('button', { name: 'Remove beds 3' }).click()
    await root.getByLabel('Kind of care').selectOption({ label: 'type: "prune"' })
    await root.getByRole('button', { name: 'Add an item to months' }).click()
    await place.field('months 1').selectOption('July')
    await root.getByLabel('note is null').uncheck()
    await place.fill({ note: 'By the gate' })
    await root.getByRole('button', { name: 'Add labels' }).click()
    await root.getByRole('button', { name: 'Add a name to labels' }).click()
    await place.fill({ 'Name 1': 'latin', 'Value 1': 'Fraxinus' })
    await place.field('isRare').selectOption('true')
    await root.getByRole('button', { name: 'Add position' }).click()
    await place.fill({ 'position 1': '1', 'position 2': '-2.5' })

    expect(await place.run('plants.add')).toBe('ok')
    const planted = await page.evaluate(() => new Date('2020-02-29T08:30:00').toISOString())
    const sent = {
      name: 'Ash',
      sort: 'tree',
      planted,
      beds: [3, 4],
      care: { type: 'prune', months: ['July'] },
      note: 'By the gate',
      height: 7.5,
      labels: { latin: 'Fraxinus' },
      isRare: true,
      position: [1, -2.5],
    }
    await root.getByRole('radio', { name: 'JSON' }).check()
    expect(JSON.parse(await place.field('Input as JSON').inputValue())).toEqual(sent)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await root.getByRole('button', { name: 'Copy the answer as JSON' }).click()
    await root.getByText('Copied').waitFor()
    expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toEqual(sent)
    // It was a date on the way, both ways.
    await root.locator(`.outcome time[datetime="${planted}"]`).waitFor()

    // A shared address opens the same form, whatever is in it.
    await expect.poll(() => page.url()).toContain('Fraxinus')
    const other = placeAt(await openPanel(visit, page.url().replace('mode=json', 'mode=form')))
    expect(await other.field('months 1').inputValue()).toBe('1')
    expect(await other.field('Value 1').inputValue()).toBe('Fraxinus')
    expect(await other.field('note').inputValue()).toBe('By the gate')
  },
)

browserTest('issues as zod and tRPC tell them by themselves stand at their fields', async () => {
  await using garden = await startGarden(superjson)
  await using visit = browser.visit()
  const place = placeAt(await openPanel(visit, `${garden.url}/panel#plants.add`))
  await place.fill({ name: 'A', 'beds 1': '12' })
  expect(await place.run('plants.add')).toBe('BAD_REQUEST')
  expect(await place.field('name').getAttribute('aria-invalid')).toBe('true')
  expect(await place.field('beds 1').getAttribute('aria-invalid')).toBe('true')
  expect(await place.field('planted').getAttribute('aria-invalid')).toBe('true')
  expect(await place.field('note').getAttribute('aria-invalid')).toBeNull()
})

for (const [name, transformer] of [
  ['superjson', superjson],
  ['plain JSON', undefined],
] as const) {
  browserTest(
    `a router of somebody else, with ${name}: its own sign-in, nested procedures, a subscription through a cut`,
    async () => {
      await using garden = await startGarden(transformer)
      await using visit = browser.visit()
      const place = placeAt(await openPanel(visit, garden.url))
      const { root } = place
      await place.choose('gate.who')
      expect(await place.run('gate.who')).toBe('UNAUTHORIZED')
      await place.choose('gate.enter')
      await place.fill({ visitor: 'June', word: 'sesame' })
      expect(await place.run('gate.enter')).toBe('ok')
      await root.getByRole('heading', { name: 'June', exact: true }).waitFor()
      await place.choose('gate.who')
      for (const via of ['HTTP', 'WebSocket']) {
        await root.getByRole('radio', { name: via }).check()
        expect(await place.run('gate.who')).toBe('ok')
        expect(await place.answer()).toBe('"key-of-June"')
      }
      await place.choose('plants.get')
      await place.fill({ input: 'Ash' })
      expect(await place.run('plants.get')).toBe('ok')
      await root.getByText('Nothing is answered.').waitFor()
      if (transformer) {
        await place.choose('plants.beyond.horizon')
        expect(await place.run('plants.beyond.horizon')).toBe('ok')
        expect(await place.answer()).toBe('sea: 10n')
      }
      await place.choose('odd')
      await place.fill({ a: 'x', b: '7' })
      expect(await place.run('odd')).toBe('ok')

      await place.choose('days')
      await place.fill({ from: '4' })
      await place.start('days')
      const days = place.live('days')
      await days.locator('.cursor code', { hasText: /^6$/ }).waitFor()
      await root.getByRole('button', { name: 'Cut connection' }).click()
      await days.getByText('waiting for the connection').waitFor()
      await root.getByRole('button', { name: 'Reconnect' }).click()
      await days.locator('.cursor code', { hasText: /^9$/ }).waitFor()
      expect((await days.locator('.log-id').allInnerTexts()).reverse()).toEqual(['5', '6', '7', '8', '9'])
      await days.getByText('Back, behind 6').waitFor()
      await days.getByRole('button', { name: 'Stop' }).click()
      await days.getByText('stopped', { exact: true }).waitFor()
    },
  )
}
