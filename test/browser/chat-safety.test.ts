import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { DisplayName } from '../../server/contract/index.ts'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { password, startWorld } from '../harness/world.ts'
import { xssPayloads } from '../harness/xss-payloads.ts'
import { openChat } from './chat-page.ts'
import { watchForScripts } from './watch-for-scripts.ts'

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

/** Follows no link, but says where each leads. */
const schemesOf = (page: Page) =>
  page.locator('.message a').evaluateAll((all) => [...new Set(all.map((link) => (link as HTMLAnchorElement).protocol))])

browserTest(
  `${xssPayloads.length} texts that want to be scripts stay texts: as names, messages, drafts and addresses`,
  async () => {
    await using world = await startWorld({ config: { registrationsPerHour: 100_000 } })
    await using visit = browser.visit()
    const api = world.plain().api
    await api.register.mutate({ username: 'ada', password, displayName: xssPayloads[0] })
    const { session } = await api.register.mutate({ username: 'eve', password })
    const eve = world.plain(session.token).api
    for (const text of xssPayloads) await eve.sendMessage.mutate({ to: 'ada', text })
    await eve.sendMessage.mutate({ to: 'ada', text: 'https://example.org/"onmouseover=pwned() javascript:pwned()' })

    const ada = await openChat(visit, world.url, { viewport: { width: 1_000, height: 8_000 } })
    const happened = [await watchForScripts(ada.page)]
    await ada.signIn('ada')
    expect(await ada.page.getByRole('heading', { level: 1 }).textContent()).toBe(xssPayloads[0])
    await ada.row('eve').click()
    await expect.poll(() => ada.texts()).toEqual(expect.arrayContaining(xssPayloads.map((text) => text.trim())))
    expect(await schemesOf(ada.page)).toEqual(['https:'])

    // As what somebody types and sends, finds again, and searches for.
    for (const text of xssPayloads.slice(0, 20)) await ada.say(text)
    await ada.composer.fill(xssPayloads.join(' '))
    await ada.page.reload()
    await expect.poll(() => ada.composer.inputValue()).toBe(xssPayloads.join(' '))
    for (const text of xssPayloads) {
      await ada.page.evaluate(
        (hash) => {
          location.hash = hash
        },
        `#/with/${encodeURIComponent(text)}`,
      )
    }
    await ada.page.getByRole('alert').getByText('There is no such conversation.').waitFor()
    await ada.button('New conversation').click()
    for (const text of xssPayloads.slice(0, 10)) {
      await ada.page.getByLabel('User id').fill(text)
      await ada.button('Start').click()
    }

    // As what a message said once, and as what somebody is called who is not oneself.
    const [first, second] = xssPayloads as [string, string]
    const messageId = `dm:ada:eve:${xssPayloads.length + 2}`
    const own = (await api.login.mutate({ username: 'ada', password })).session.token
    await world.plain(own).api.editMessage.mutate({ messageId, text: second, revision: 1 })
    await eve.updateProfile.mutate({ displayName: first })
    await ada.page.keyboard.press('Escape')
    await ada.rows.first().click()
    await ada.page.getByRole('heading', { level: 2, name: first.trim() }).waitFor()
    await ada.page.getByRole('button', { name: /^edited/ }).click()
    await ada.popover.getByText(first.trim(), { exact: true }).waitFor()
    await ada.page.keyboard.press('Escape')

    // As the name of an account, in all places that show one's own.
    const names = xssPayloads.filter((text) => DisplayName.safeParse(text).success)
    for (const [i, displayName] of names.entries()) {
      if (i % 9 !== 0) continue
      const username = `user${i}`
      await api.register.mutate({ username, password, displayName })
      const page = await openChat(visit, world.url)
      happened.push(await watchForScripts(page.page))
      await page.signIn(username)
      expect(await page.page.getByRole('heading', { level: 1 }).textContent()).toBe(displayName.trim())
    }
    expect(happened.flat()).toEqual([])
  },
)

browserTest('a link whose words do not say where it leads says so behind them', async () => {
  await using world = await startWorld()
  const [eve] = await world.people('eve', 'ada')
  const texts = [
    'https://parley.example/a and www.parley.example',
    'https://parley.example@evil.example/login',
    'https://p\u0430rley.example/login',
    'https://3405803783/',
  ]
  await eve.send('ada', ...texts)
  await using visit = browser.visit()
  const ada = await openChat(visit, world.url)
  await ada.signIn('ada')
  await ada.row('eve').click()
  await expect
    .poll(() => ada.texts())
    .toEqual([
      texts[0],
      `${texts[1]} (evil.example)`,
      `${texts[2]} (xn--prley-4ve.example)`,
      `${texts[3]} (203.0.113.7)`,
    ])
})
