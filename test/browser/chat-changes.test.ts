import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { createGuests } from '../harness/guests.ts'
import { startWorld } from '../harness/world.ts'
import { barriers, sizes } from './barriers.ts'
import { openBehindNetwork, openChat, tryNow } from './chat-page.ts'

// What changes after it was said: messages that are edited and deleted, and what people are called.

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

browserTest(
  '[P2] what is edited and deleted changes before the eyes of the other, who can read what it said',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const ada = await openChat(visit, world.url)
    const bob = await openChat(visit, world.url)
    await ada.signUp('ada')
    await bob.signUp('bob')
    await ada.start('bob')
    await ada.say('Helo, Bob', 'And another')
    await bob.row('ada').click()
    await bob.shows('And another')

    // With nothing written the arrow up edits the last own message, Escape leaves it as it was.
    await ada.composer.press('ArrowUp')
    await ada.page.getByLabel('Edit your message').waitFor()
    expect(await ada.composer.inputValue()).toBe('And another')
    await ada.composer.press('Escape')
    expect(await ada.composer.inputValue()).toBe('')

    // What is being written waits until the edit is over.
    await ada.composer.fill('half a thought')
    await ada.openMenu('Helo, Bob')
    await ada.popover.getByRole('button', { name: 'Edit' }).click()
    await expect.poll(() => ada.composer.inputValue()).toBe('Helo, Bob')
    await ada.composer.fill('Hello, Bob')
    await ada.composer.press('Enter')
    expect(await ada.composer.inputValue()).toBe('half a thought')
    await bob.shows('Hello, Bob')
    expect(await bob.texts()).toEqual(['Hello, Bob', 'And another'])
    expect(await ada.message('And another').getByText('edited').count()).toBe(0)

    await bob
      .message('Hello, Bob')
      .getByRole('button', { name: /^edited/ })
      .click()
    await bob.popover.getByText('Helo, Bob').waitFor()
    expect(await bob.popover.locator('.text').allInnerTexts()).toEqual(['Hello, Bob', 'Helo, Bob'])
    // It says what is new while it is looked at.
    await ada.openMenu('Hello, Bob')
    await ada.popover.getByRole('button', { name: 'Edit' }).click()
    await ada.composer.fill('Hello, dear Bob')
    await ada.composer.press('Enter')
    await bob.popover.getByText('Hello, dear Bob').waitFor()
    await bob.page.keyboard.press('Escape')
    await bob.popover.waitFor({ state: 'detached' })
    expect(bob.page.url()).toContain('/with/ada')

    await ada.openMenu('Hello, dear Bob')
    await ada.popover.getByRole('button', { name: 'Delete…' }).click()
    await ada.popover.getByRole('button', { name: 'Keep' }).click()
    await ada.popover.waitFor({ state: 'detached' })
    await ada.openMenu('And another')
    await ada.popover.getByRole('button', { name: 'Delete…' }).click()
    await ada.popover.getByRole('button', { name: 'Delete', exact: true }).click()
    for (const { tombstones } of [ada, bob]) await tombstones.waitFor()
    await expect.poll(() => bob.row('ada').innerText()).toContain('This message was deleted')
    for (const { texts } of [ada, bob]) expect(await texts()).toEqual(['Hello, dear Bob'])
    expect(await ada.composer.inputValue()).toBe('half a thought')
  },
)

browserTest('an edit that is refused says why, and can be tried again or discarded', async () => {
  await using world = await startWorld({ config: { editWindowMinutes: 0 } })
  await using visit = browser.visit()
  const ada = await openChat(visit, world.url)
  await ada.signUp('ada')
  await ada.start('ada')
  await ada.say('too old already')
  await ada.reaches('too old already', 'delivered')
  await ada.composer.press('ArrowUp')
  await ada.composer.fill('young again')
  await ada.composer.press('Enter')
  const failed = ada.page.getByText('Not saved. This message is too old to be edited.')
  await failed.waitFor()
  await expect.poll(() => ada.page.getByRole('log').innerText()).toContain('Not saved: young again')
  await ada.button('Try again').click()
  await failed.waitFor()
  await ada.button('Discard').click()
  await failed.waitFor({ state: 'detached' })
  await ada.shows('too old already')
})

browserTest(
  '[P5] without a connection edits and deletions wait, are seen at once, and are made when it is back',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const [bob] = await world.people('bob')
    const { chat: ada, network } = await openBehindNetwork(world, visit)
    await ada.signUp('ada')
    await ada.start('bob')
    await ada.say('one', 'two', 'three')
    await bob.received(3)
    await ada.reaches('three', 'delivered')
    network.cut()
    await ada.page.getByRole('status').getByText('No connection.').waitFor()
    for (const [text, other] of [
      ['one', 'one, edited'],
      ['two', 'two, edited'],
    ] as const) {
      await ada.openMenu(text)
      await ada.popover.getByRole('button', { name: 'Edit' }).click()
      await ada.composer.fill(other)
      await ada.composer.press('Enter')
      await ada.shows(other)
    }
    await ada.openMenu('three')
    await ada.popover.getByRole('button', { name: 'Delete…' }).click()
    await ada.popover.getByRole('button', { name: 'Delete', exact: true }).click()
    await ada.page.getByText('Deleting waits for a connection.').waitFor()
    const held = ada.message('two, edited').locator('xpath=ancestor-or-self::*[contains(@class,"message")]')
    await held.getByText('The edit waits for a connection.').waitFor()
    await held.getByRole('button', { name: 'Take back' }).click()
    await ada.shows('two')

    network.restore()
    await tryNow(ada)
    await ada.page.getByText('Deleting waits for a connection.').waitFor({ state: 'detached' })
    const texts = async () => (await bob.client.history({ conversation: 'ada' })).messages.map(({ text }) => text)
    await expect.poll(texts).toEqual(['one, edited', 'two', ''])
  },
)

browserTest(
  'people are called by the names they chose, everywhere and at once; the id tells apart who is called the same',
  async () => {
    const guests = createGuests()
    await using world = await startWorld(guests.options)
    await using visit = browser.visit()
    const id = 'auth0|5f+a=b~c@example.org'
    const zoe = world.plain(await guests.enter(id, 'Sam')).api
    const [cyd] = await world.people('cyd')
    const [ada, bob] = [await openChat(visit, world.url), await openChat(visit, world.url)]
    await ada.signUp('ada')
    await bob.signUp('bob')
    await ada.start('bob')
    await ada.say('Hello')
    await bob.row('ada').click()
    await bob.shows('Hello')

    await ada.button('ada').click()
    await ada.page.getByLabel('Your name, as others see it').fill('Ada Lovelace')
    await ada.page.getByLabel('Your name, as others see it').press('Enter')
    await ada.page.getByRole('heading', { level: 1, name: 'Ada Lovelace' }).waitFor()
    await bob.row('Ada Lovelace').waitFor()
    await bob.page.getByRole('heading', { level: 2, name: 'Ada Lovelace' }).waitFor()
    await bob.page.getByText('ada · online').waitFor()
    expect(await bob.message('Hello').innerText()).toContain('Ada Lovelace:')
    await expect.poll(() => bob.page.title()).toBe('Ada Lovelace · Parley')
    await ada.say('Again')
    await expect.poll(() => bob.page.getByRole('log').innerText()).toContain('Ada Lovelace: Again')
    await ada.page.reload()
    await ada.page.getByRole('heading', { level: 1, name: 'Ada Lovelace' }).waitFor()

    // An id is taken as it is, whatever is in it; Sam is what two people are called.
    await ada.start(id)
    await ada.page.getByRole('heading', { level: 2, name: 'Sam' }).waitFor()
    await ada.say('To the one with the long id')
    // What is stored later stands higher in the list.
    await ada.reaches('To the one with the long id', 'sent')
    await cyd.client.updateProfile({ displayName: 'Sam' })
    await cyd.send('ada', 'I am Sam too')
    await expect
      .poll(() => ada.rows.filter({ hasText: 'Sam' }).allInnerTexts())
      .toMatchObject([expect.stringContaining('Sam cyd'), expect.stringContaining(`Sam ${id}`)])
    // A Cyrillic letter looks the same.
    await cyd.client.updateProfile({ displayName: 'S\u0430m' })
    await expect.poll(() => ada.rows.allInnerTexts()).toContainEqual(expect.stringContaining('S\u0430m cyd'))
    await cyd.client.updateProfile({ displayName: 'Sam' })
    expect((await zoe.history.query({ conversation: 'ada' })).messages).toMatchObject([
      { text: 'To the one with the long id' },
    ])
    await ada.button('New conversation').click()
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Sam cyd' }).click()
    await ada.shows('I am Sam too')
  },
)

browserTest('nothing keeps anybody out where a message changes: wide and narrow, light and dark', async () => {
  await using world = await startWorld({ config: { editWindowMinutes: 0 } })
  await using visit = browser.visit()
  const ada = await openChat(visit, world.url, { viewport: sizes.wide })
  await ada.signUp('ada')
  await ada.start('ada')
  await ada.say('first', 'second', 'third')
  await ada.reaches('third', 'delivered')
  await ada.openMenu('second')
  expect(await barriers(ada.page)).toEqual([])
  await ada.popover.getByRole('button', { name: 'Delete…' }).press('Enter')
  expect(await barriers(ada.page)).toEqual([])
  await ada.popover.getByRole('button', { name: 'Delete', exact: true }).press('Enter')
  await ada.tombstones.waitFor()
  await ada.composer.press('ArrowUp')
  await ada.page.getByText('Editing third').waitFor()
  expect(await barriers(ada.page)).toEqual([])
  await ada.composer.fill('a third one')
  await ada.composer.press('Enter')
  await ada.page.getByText('Not saved.').waitFor()
  await ada.button('ada').click()
  expect(await barriers(ada.page)).toEqual([])
})

browserTest(
  'on a phone, with a finger: the menu, the edit and its texts are within reach and within the screen',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const ada = await openChat(visit, world.url, {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      isMobile: true,
    })
    await ada.signUp('ada')
    await ada.start('ada')
    await ada.say('teh')
    await ada
      .message('teh')
      .getByRole('button', { name: /^Edit or delete/ })
      .tap()
    await ada.popover.getByRole('button', { name: 'Edit' }).tap()
    await ada.composer.fill('the')
    await ada.button('Save').tap()
    await ada
      .message('the')
      .getByRole('button', { name: /^edited/ })
      .tap()
    await ada.popover.getByText('teh').waitFor()
    const box = await ada.popover.boundingBox()
    expect([box && box.x >= 0, box && box.x + box.width <= 360, box && box.y + box.height <= 740]).toEqual([
      true,
      true,
      true,
    ])
    await ada.page.touchscreen.tap(10, 300)
    await ada.popover.waitFor({ state: 'detached' })
    await ada.message('the').waitFor()
  },
)
