import { afterAll, beforeAll, expect } from 'vitest'
import { ChatError } from '../../server/contract/index.ts'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { password, startWorld } from '../harness/world.ts'
import { barriers, sizes } from './barriers.ts'
import { openBehindNetwork, openChat } from './chat-page.ts'

// That everybody can use the chat page: by eye or ear, by keyboard alone, on a phone.

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

browserTest(
  'nothing keeps anybody out, wide and narrow, light and dark: signing in, talking, offline, where something failed',
  async () => {
    await using world = await startWorld({
      adapt: (ports) => ({
        ...ports,
        store: {
          ...ports.store,
          append: async (draft) => {
            if (draft.text === 'refused') throw new ChatError('notMember')
            return ports.store.append(draft)
          },
        },
      }),
    })
    await using visit = browser.visit()
    const [bob] = await world.people('bob')
    const { chat: ada, network } = await openBehindNetwork(world, visit, { viewport: sizes.wide })
    await ada.button('Sign in').click()
    expect(await barriers(ada.page)).toEqual([])
    await ada.signUp('ada')
    expect(await barriers(ada.page)).toEqual([])
    await ada.button('New conversation').click()
    await ada.page.getByLabel('User id').fill('zoe')
    await ada.button('Start').click()
    await ada.page.getByText('There is nobody with the id').waitFor()
    expect(await barriers(ada.page)).toEqual([])
    await ada.page.keyboard.press('Escape')

    await ada.start('bob')
    await bob.send('ada', 'Hello', 'See https://example.org')
    await ada.say('Hello, Bob', 'refused')
    await ada.reaches('refused', 'failed')
    await ada.reaches('Hello, Bob', 'delivered')
    network.cut()
    await ada.page.getByRole('status').getByText('No connection.').waitFor()
    await ada.say('on its way')
    await ada.shows('on its way')
    expect(await barriers(ada.page)).toEqual([])
  },
)

browserTest('all of it goes by keyboard alone', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  const [bob, cyd] = await world.people('bob', 'cyd')
  const { page, ...ada } = await openChat(visit, world.url)
  const focused = () =>
    page.evaluate(() => {
      const { activeElement, body } = document
      return activeElement === body ? 'nothing' : activeElement?.textContent || activeElement?.tagName
    })
  const tabTo = async (name: string) => {
    for (let i = 0; i < 12 && !(await focused())?.includes(name); i++) await page.keyboard.press('Tab')
    expect(await focused()).toContain(name)
  }
  await tabTo('Create an account')
  await page.keyboard.press('Enter')
  await page.getByLabel('Username').focus()
  await page.keyboard.type('ada')
  await page.keyboard.press('Tab')
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await ada.isIn()
  await bob.send('ada', 'from bob')
  await cyd.send('ada', 'from cyd')
  await ada.row('bob').waitFor()

  // The first stop leads past everything to the list; the arrow keys lead through it.
  await page.keyboard.press('Tab')
  await tabTo('Go to the conversations')
  await page.keyboard.press('Enter')
  await expect.poll(focused).toContain('cyd')
  await page.keyboard.press('ArrowDown')
  await expect.poll(focused).toContain('bob')
  await page.keyboard.press('Enter')

  // Opened, it is ready to be written to; Escape leads back to its place in the list.
  await expect.poll(focused).toBe('TEXTAREA')
  await page.keyboard.type('Hello, Bob')
  await page.keyboard.press('Enter')
  await ada.shows('Hello, Bob')
  await page.keyboard.press('Escape')
  await expect.poll(focused).toContain('bob')
  expect(page.url()).toBe(`${world.url}/`)

  await ada.button('New conversation').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await expect.poll(focused).toBe('New conversation')
})

browserTest('on a phone there is one thing at a time, and the way back is the back button', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  const [bob] = await world.people('bob')
  const ada = await openChat(visit, world.url, {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  })
  await ada.signUp('ada')
  await bob.send('ada', 'Hello')
  await ada.row('bob').tap()
  await ada.shows('Hello')
  expect(await ada.row('bob').isVisible()).toBe(false)
  await ada.page.goBack()
  await ada.row('bob').waitFor()
  expect(await ada.composer.count()).toBe(0)

  await ada.row('bob').tap()
  await ada.button('Back to the conversations').tap()
  await ada.row('bob').waitFor()
  // It was a step back, not a further one.
  await ada.page.goForward()
  await ada.shows('Hello')

  // Opened by its address, there is no step back to take.
  await ada.page.goto(`${world.url}/#/with/bob`)
  await ada.page.reload()
  await ada.shows('Hello')
  await ada.button('Back to the conversations').tap()
  await ada.row('bob').waitFor()
})
