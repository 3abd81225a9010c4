import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { password, startWorld } from '../harness/world.ts'
import { type ChatPage, chatAt, openChat } from './chat-page.ts'

// What people do on the chat page, in a real browser: accounts, talking, the list.

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

browserTest('[P2] [P6] two people sign up, find each other, talk, and see how far their messages are', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  const ada = await openChat(visit, world.url)
  const bob = await openChat(visit, world.url)
  await ada.signUp('ada')
  await bob.signUp('bob')
  await ada.page.getByRole('heading', { name: 'ada', exact: true }).waitFor()

  await ada.start('Bob')
  await ada.page.getByText('Say hello to bob.').waitFor()
  await ada.say('Hello, Bob')
  await ada.reaches('Hello, Bob', 'delivered')
  await bob.row('ada').getByText('1 unread').waitFor()
  await expect.poll(() => bob.page.title()).toBe('(1) Parley')

  await bob.row('ada').click()
  await bob.shows('Hello, Bob')
  await ada.reaches('Hello, Bob', 'read')
  await expect.poll(() => bob.page.title()).toBe('ada · Parley')
  await bob.say('Hello, Ada', 'How are you?')
  await ada.shows('How are you?')
  expect(await ada.texts()).toEqual(['Hello, Bob', 'Hello, Ada', 'How are you?'])
  await bob.reaches('How are you?', 'read')
  await expect.poll(() => ada.row('bob').innerText()).toContain('How are you?')

  // Whoever listens to the page is told of what comes in, and of nothing else.
  const log = ada.page.getByRole('log')
  await expect.poll(() => log.innerText()).toBe('bob: Hello, Ada\n\nbob: How are you?')
})

browserTest(
  '[P6] nothing is read while nobody looks: with the window in the background, or out of sight below',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const [ada] = await world.people('ada')
    const bob = await openChat(visit, world.url)
    await bob.page.addInitScript(() => {
      document.hasFocus = () => document.documentElement.dataset.away === undefined
    })
    await bob.page.reload()
    await bob.signUp('bob')
    const setAway = (isAway: boolean) =>
      bob.page.evaluate((isAway) => {
        if (isAway) document.documentElement.dataset.away = ''
        else delete document.documentElement.dataset.away
        dispatchEvent(new Event(isAway ? 'blur' : 'focus'))
      }, isAway)
    const unread = async () => {
      const { conversations } = await world.plain(bobToken).api.conversations.query()
      return conversations[0]?.unread
    }
    const bobToken = (await world.plain().api.login.mutate({ username: 'bob', password })).session.token

    await ada.send('bob', 'first')
    await bob.row('ada').click()
    await expect.poll(unread).toBe(0)

    await setAway(true)
    await ada.send('bob', 'second')
    await bob.shows('second')
    await ada.send('bob', 'third')
    await bob.shows('third')
    expect(await unread()).toBe(2)
    await setAway(false)
    await expect.poll(unread).toBe(0)

    // What comes in below a reader who is further up waits there for her.
    await ada.send('bob', ...Array.from({ length: 40 }, (_, i) => `line ${i}`))
    await bob.shows('line 39')
    await bob.log.press('Home')
    await bob.shows('first')
    await ada.send('bob', 'news', 'more news')
    await bob.button('2 new messages').waitFor()
    expect(await unread()).toBe(2)
    await bob.button('2 new messages').click()
    await bob.shows('more news')
    await expect.poll(unread).toBe(0)
  },
)

browserTest('errors of the form stand at their fields, in plain words', async () => {
  await using world = await startWorld({ config: { rateLimits: true } })
  await using visit = browser.visit()
  await world.plain().api.register.mutate({ username: 'ada', password })
  const { page, button } = await openChat(visit, world.url)
  const [username, secret] = [page.getByLabel('Username'), page.getByLabel('Password', { exact: true })]
  const wrongAt = async (field: typeof username) => {
    const id = await field.getAttribute('aria-describedby')
    return page.locator(`[id="${id}"]`).innerText()
  }

  await button('Sign in').click()
  expect(await wrongAt(username)).toBe('Who are you? Type a username.')
  expect(await wrongAt(secret)).toBe('Type your password.')
  await expect.poll(() => username.evaluate((field) => field === document.activeElement)).toBe(true)

  await username.fill('ada')
  await secret.fill('not the password')
  await secret.press('Enter')
  await page.getByRole('alert').getByText('The username or the password is wrong.').waitFor()

  await button('Create an account').click()
  await username.fill('a b')
  await secret.fill('short')
  await button('Create account').click()
  expect(await wrongAt(username)).toContain('A username has 3 to 32 characters')
  expect(await wrongAt(secret)).toBe('At least 8 characters.')

  await username.fill('ADA')
  await secret.fill(password)
  await button('Create account').click()
  await expect.poll(() => wrongAt(username)).toContain('This username is taken.')
  await username.fill('cyd')
  await secret.fill('password123')
  await button('Create account').click()
  await expect.poll(() => wrongAt(secret)).toContain('easy to guess')

  await button('Sign in').click()
  await username.fill('ada')
  for (let i = 0; i < 5; i++) {
    await secret.fill(`wrong ${i}`)
    await secret.press('Enter')
    await expect.poll(() => button('Sign in').getAttribute('aria-disabled')).toBe('false')
  }
  await page
    .getByRole('alert')
    .getByText(/^Too many attempts\. Try again in \d minutes\.$/)
    .waitFor()
})

browserTest(
  'a session is kept across reloads and tabs; signing out ends it in all of them, and on the server',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const first = await openChat(visit, world.url)
    const second = chatAt(await visit.beside(first.page, world.url))
    await first.signUp('ada')
    await second.isIn()
    await second.start('ada')
    await second.composer.fill('a thought that is not finished')
    await second.page.reload()
    await expect.poll(() => second.composer.inputValue()).toBe('a thought that is not finished')
    expect(second.page.url()).toBe(`${world.url}/#/with/ada`)
    await first.row('Notes to yourself').waitFor({ state: 'detached' })
    await second.say('a whole thought')
    await first.row('Notes to yourself').waitFor()

    const token = await first.page.evaluate(() => JSON.parse(localStorage.getItem('parley.session') ?? '{}').token)
    await first.row('Notes to yourself').click()
    await expect.poll(() => first.page.title()).toBe('Notes to yourself · Parley')
    await first.button('Sign out').click()
    await second.button('Sign in').waitFor()
    // Nothing of hers is left for whoever comes next: neither what was open nor what was unread.
    expect([first.page.url(), await first.page.title()]).toEqual([`${world.url}/#/`, 'Parley'])
    expect(await second.page.evaluate(() => localStorage.length)).toBe(0)
    await expect
      .poll(() =>
        world
          .plain(token)
          .api.me.query()
          .catch((error) => error.data.kind),
      )
      .toBe('sessionEnded')

    // Ended elsewhere, it says so.
    await first.signIn('ada')
    const other = await first.page.evaluate(() => JSON.parse(localStorage.getItem('parley.session') ?? '{}').token)
    await second.isIn()
    await world.plain(other).api.logout.mutate()
    // The tab that hears of it first says why; the other may only hear that this one has left.
    const words = (chat: ChatPage) => chat.page.getByText('Your session has ended. Sign in again to go on.').waitFor()
    await Promise.any([words(first), words(second)])
    for (const chat of [first, second]) await chat.button('Sign in').waitFor()
  },
)

browserTest('there is nobody to write to under a name that nobody has', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  await world.people('bob')
  const ada = await openChat(visit, world.url)
  await ada.signUp('ada')
  await ada.button('New conversation').click()
  const dialog = ada.page.getByRole('dialog', { name: 'New conversation' })
  await dialog.getByLabel('User id').fill('zoe')
  await dialog.getByLabel('User id').press('Enter')
  await dialog.getByText('There is nobody with the id “zoe” here.').waitFor()
  await dialog.getByLabel('User id').fill('x:y')
  await dialog.getByRole('button', { name: 'Start' }).click()
  await dialog.getByText('A user id has 1 to 64 of the characters').waitFor()
  await dialog.getByRole('button', { name: 'bob' }).click()
  await ada.page.getByText('Say hello to bob.').waitFor()

  for (const [hash, words] of [
    ['#/with/zoe', 'There is nobody with the id “zoe” here.'],
    ['#/with/dm:bob:zoe', 'You are not part of this conversation.'],
    ['#/with/%3Cb%3E', 'There is no such conversation.'],
  ] as const) {
    await ada.page.goto(`${world.url}/${hash}`)
    await ada.page.getByRole('alert').getByText(words).waitFor()
  }
  await ada.page.goto(`${world.url}/#/with/%E0%A4%A`)
  await ada.page.getByText('Choose a conversation').waitFor()
})

browserTest('the list has the newest first, who is online, and more as it is scrolled', async () => {
  await using world = await startWorld({ config: { registrationsPerHour: 100_000 } })
  await using visit = browser.visit()
  const [ada] = await world.people('ada')
  const names = Array.from({ length: 120 }, (_, i) => `user${String(i).padStart(3, '0')}`)
  const api = world.plain().api
  for (const username of names) await api.register.mutate({ username, password })
  for (const name of names) await ada.send(name, `for ${name}`)
  const page = await openChat(visit, world.url)
  await page.signIn('ada')
  await page.row('user119').waitFor()
  expect((await page.rows.allInnerTexts()).map((text) => text.split('\n')[1])).toEqual(
    names.toReversed().slice(0, await page.rows.count()),
  )
  // A few of them are drawn; all can be reached.
  expect(await page.rows.count()).toBeLessThan(40)
  await page.rows.first().focus()
  await expect
    .poll(async () => {
      await page.page.keyboard.press('End')
      return page.row('user000').isVisible()
    })
    .toBe(true)

  await world.device('user000')
  await page.row('user000').getByText(', online').waitFor({ state: 'attached' })
  await ada.send('user000', 'again')
  await page.page.keyboard.press('Home')
  await expect.poll(() => page.rows.first().innerText()).toContain('user000')
})

browserTest(
  'what is written grows, has a limit that is said in time, and is sent by Enter but not while composing',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const ada = await openChat(visit, world.url)
    await ada.signUp('ada')
    await ada.start('ada')
    const height = () => ada.composer.evaluate((field) => field.clientHeight)
    const low = await height()
    await ada.composer.press('a')
    await ada.composer.press('Shift+Enter')
    await ada.composer.press('b')
    expect(await ada.composer.inputValue()).toBe('a\nb')
    expect(await height()).toBeGreaterThan(low)

    await ada.composer.evaluate((field) =>
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, isComposing: true })),
    )
    expect(await ada.composer.inputValue()).toBe('a\nb')
    await ada.composer.press('Enter')
    await ada.shows('a\nb')
    expect(await ada.composer.inputValue()).toBe('')
    expect(await height()).toBe(low)

    // The newest message stays where it is seen, however many lines are written.
    for (let line = 0; line < 40; line++) await ada.say(`line ${line}`)
    await ada.shows('line 39')
    for (let line = 0; line < 5; line++) {
      await ada.composer.press('c')
      await ada.composer.press('Shift+Enter')
    }
    await ada.composer.pressSequentially('and on')
    const fromEnd = () => ada.log.evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop)
    await expect.poll(fromEnd).toBeLessThan(2)

    await ada.composer.fill('x'.repeat(3_900))
    await ada.page.getByText('100 characters left').waitFor()
    await ada.composer.fill('x'.repeat(4_001))
    await ada.page.getByText('1 character too many').waitFor()
    await ada.composer.press('Enter')
    expect(await ada.button('Send').isDisabled()).toBe(true)
    await ada.composer.fill('   \n ')
    expect(await ada.button('Send').isDisabled()).toBe(true)
    await ada.composer.fill('y'.repeat(4_000))
    await ada.button('Send').click()
    await ada.reaches('y'.repeat(4_000), 'delivered')
  },
)
