import type { BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Visit } from '../harness/browser.ts'
import { password } from '../harness/world.ts'

/** One identity's place on the panel, as somebody uses it: by labels and names. */
export const placeAt = (page: Page, index = 0) => {
  const root = page.locator('main > section').nth(index)
  const field = (label: string) => root.getByLabel(label, { exact: true })
  const place = {
    root,
    field,
    /** Opens a procedure. */
    choose: (procedure: string) => field('Procedure').selectOption(procedure),
    async fill(values: Record<string, string>) {
      for (const [label, value] of Object.entries(values)) await field(label).fill(value)
    },
    /** Calls what is open, and waits for what comes of it. @returns its kind in a word: `ok`, or that of the error */
    async run(procedure: string): Promise<string> {
      const calls = root.locator('.earlier-call')
      const before = await calls.count()
      await root.getByRole('button', { name: `Run ${procedure}` }).click()
      await calls.nth(before).waitFor()
      const pill = calls.first().locator('.pill:not(.waiting)')
      await pill.waitFor()
      return pill.innerText()
    },
    start: (procedure: string) => root.getByRole('button', { name: `Start ${procedure}` }).click(),
    /** The whole answer, as text. */
    answer: () => root.locator('.outcome .tree, .outcome .failure').first().innerText(),
    /** A subscription by the name of its procedure. */
    live: (procedure: string): Locator =>
      root.locator('.live').filter({ has: page.getByRole('heading', { name: procedure }) }),
    async signUp(username: string, displayName = '') {
      await place.choose('register')
      await place.fill({ username, password, displayName })
      await place.run('register')
      await root.getByRole('heading', { name: username, exact: true }).waitFor()
      await root.getByText('Connected', { exact: true }).waitFor()
    },
    say: async (to: string, text: string) => {
      await place.choose('sendMessage')
      await place.fill({ to, text })
      return place.run('sendMessage')
    },
  }
  return place
}

export const openPanel = async (visit: Visit, url: string, options?: BrowserContextOptions) => {
  const page = await visit.open(url.includes('#') ? url : `${url}/panel`, options)
  await page.getByRole('main').waitFor()
  return page
}

/** A further identity beside the others. @returns its place */
export const addPlace = async (page: Page) => {
  const before = await page.locator('main > section').count()
  await page.getByRole('button', { name: 'Add identity' }).click()
  const place = placeAt(page, before)
  await place.root.waitFor()
  return place
}
