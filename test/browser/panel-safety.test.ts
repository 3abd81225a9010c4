import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { password, startWorld } from '../harness/world.ts'
import { xssPayloads } from '../harness/xss-payloads.ts'
import { openPanel, placeAt } from './panel-page.ts'
import { watchForScripts } from './watch-for-scripts.ts'

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

browserTest(
  `${xssPayloads.length} texts that want to be scripts stay texts: stored, typed, answered and in addresses`,
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const api = world.plain().api
    const [first = ''] = xssPayloads
    await api.register.mutate({ username: 'eve', password, displayName: first })
    const eve = world.plain((await api.login.mutate({ username: 'eve', password })).session.token).api
    await api.register.mutate({ username: 'ada', password })
    for (const text of xssPayloads) await eve.sendMessage.mutate({ to: 'ada', text })

    const page = await openPanel(visit, world.url)
    const happened = await watchForScripts(page)
    const ada = placeAt(page)

    // As what somebody types: a name, and all that is said of it.
    await ada.choose('register')
    for (const [i, displayName] of xssPayloads.entries()) {
      if (i % 8 !== 0) continue
      await ada.fill({ username: displayName, password, displayName })
      await ada.run('register')
    }
    await ada.root.getByText('As code').click()
    for (const name of ['SDK', 'parley', 'tRPC', 'curl']) await ada.root.getByRole('radio', { name }).check()

    // As events, previews and trees, in answers and in errors.
    await ada.choose('login')
    await ada.fill({ username: 'ada', password })
    await ada.run('login')
    await ada.choose('onMessage')
    await ada.start('onMessage')
    await ada.live('onMessage').locator('.log-preview', { hasText: '$$typeof' }).waitFor()
    const events = ada.live('onMessage').locator('.log-event summary')
    for (let i = 0; i < 50; i += 10) await events.nth(i).click()
    await ada.choose('history')
    await ada.fill({ conversation: 'eve', limit: '100' })
    expect(await ada.run('history')).toBe('ok')
    await ada.root.getByRole('button', { name: `Show ${xssPayloads.length - 50} more` }).click()
    await ada.root.locator('.outcome .tree-branch:not([open]) > summary').evaluateAll((all) => {
      for (const summary of all) (summary as HTMLElement).click()
    })
    const shown = async () => {
      const texts = await ada.root.locator('.outcome .tree-text').allInnerTexts()
      return texts.map((text) => JSON.parse(text) as string)
    }
    await expect.poll(shown).toEqual(expect.arrayContaining(xssPayloads))
    for (const text of xssPayloads.slice(0, 4)) {
      await ada.fill({ conversation: text })
      await ada.run('history')
    }

    // As addresses: of a procedure, of an input.
    for (const text of xssPayloads) {
      await page.evaluate(
        (hash) => {
          location.hash = hash
        },
        `${encodeURIComponent(text)}?input=${encodeURIComponent(JSON.stringify(text))}`,
      )
      await page.evaluate(
        (hash) => {
          location.hash = hash
        },
        `sendMessage?input=${encodeURIComponent(JSON.stringify({ to: text, text: { [text]: text } }))}`,
      )
    }
    await ada.root.getByRole('radio', { name: 'JSON' }).check()
    await ada.field('Input as JSON').fill(JSON.stringify({ to: 'ada', text: xssPayloads.join(' ') }))
    await ada.run('sendMessage')
    await page.reload()
    await ada.root.getByRole('heading', { name: 'ada', exact: true }).waitFor()
    expect(happened).toEqual([])
  },
)

browserTest(
  'the policy holds in the browser: no inline script, no eval, no markup from a script, no style, no stranger',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    visit.expect(/Content Security Policy|TrustedHTML|Trusted Type|violates the following/)
    const page = await openPanel(visit, world.url)
    const happened = await watchForScripts(page)
    await page.evaluate(async (other) => {
      const attempts = [
        () => document.head.append(Object.assign(document.createElement('style'), { textContent: '*{color:red}' })),
        () =>
          document.body.append(
            Object.assign(document.createElement('img'), { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' }),
          ),
        () => document.body.insertAdjacentHTML('beforeend', '<b>markup</b>'),
        () => fetch(other),
        () => new WebSocket(other.replace('http', 'ws')),
      ]
      for (const attempt of attempts) {
        try {
          await attempt()
        } catch {}
      }
    }, 'http://127.0.0.2:9/')
    await expect.poll(() => happened.join('\n')).toMatch(/style-src-elem inline/)
    await expect.poll(() => happened.join('\n')).toMatch(/img-src data/)
    await expect.poll(() => happened.join('\n')).toMatch(/require-trusted-types-for trusted-types-sink/)
    await expect.poll(() => happened.filter((what) => what.startsWith('connect-src')).length).toBe(2)
    expect(happened).not.toContain('pwned')
  },
)
