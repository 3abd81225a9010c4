import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ChatError } from '../../server/contract/index.ts'
import { startBrowser } from '../harness/chromium.ts'
import { startWorld } from '../harness/world.ts'
import { openBehindNetwork, openChat } from './chat-page.ts'
import { addPlace, openPanel, placeAt } from './panel-page.ts'

/**
 * Pictures of the pages with two people at them, wide and narrow, light and dark: `node dist/test/browser/screenshots.js`.
 * They are to be looked at, in `.pictures`; with `--readme` two of them become those that the README shows.
 */
const folder = '.pictures'
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
const refused = 'And this is what the server would not take.'
await using world = await startWorld({
  adapt: (ports) => ({
    ...ports,
    store: {
      ...ports.store,
      append: async (draft) => {
        if (draft.text === refused) throw new ChatError('notMember')
        return ports.store.append(draft)
      },
    },
  }),
})
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

const chat = await openChat(visit, world.url, { viewport: sizes.wide })
await take(chat.page, 'chat-first')
await chat.button('Sign in').click()
await take(chat.page, 'chat-error')
await chat.signUp('eve')
await take(chat.page, 'chat-empty')
await chat.button('eve').click()
await chat.page.getByLabel('Your name, as others see it').fill('Eve of the Pier')
await take(chat.page, 'chat-name')
await chat.button('Save').click()
await chat.page.getByRole('heading', { level: 1, name: 'Eve of the Pier' }).waitFor()
await chat.button('New conversation').click()
await chat.page.getByRole('heading', { name: 'Online now' }).waitFor()
await take(chat.page, 'chat-new')
await chat.page.keyboard.press('Escape')

const { chat: finn, network } = await openBehindNetwork(world, visit, { viewport: sizes.wide })
await finn.signUp('finn')
for (const name of ['ada', 'bob']) {
  await finn.start(name)
  await finn.say(`Hello, ${name}! Are you coming on Sunday?`)
}
await finn.start('finn')
await finn.say('Bring the tide table.')
await finn.start('eve')
await chat.start('finn')
await chat.say('Did you see the lighthouse last night?', 'It was lit again, for the first time in years.')
await finn.shows('It was lit again, for the first time in years.')
await finn.say(
  'I did! From the pier it looked as if the whole bay had woken up.',
  'https://example.org/lighthouse has a picture of it.',
)
await chat.shows('I did! From the pier it looked as if the whole bay had woken up.')
const [first, boat] = [
  'We should row out on Sunday.',
  'We should row out on Sunday, before the tide turns.\nI know somebody with a boat.',
]
await chat.say(first, 'Or not?')
await finn.shows('Or not?')
const change = async (text: string, choice: string) => {
  await chat.openMenu(text)
  await chat.popover.getByRole('button', { name: choice }).click()
}
await change(first, 'Edit')
await chat.composer.fill(boat)
await chat.composer.press('Enter')
await change('Or not?', 'Delete…')
await chat.popover.getByRole('button', { name: 'Delete', exact: true }).click()
await finn.tombstones.waitFor()
await finn.shows(boat)
await finn.say('Sunday it is.')
await finn.reaches('Sunday it is.', 'read')
await bob.say('finn', 'I am in.')
await bob.say('finn', 'Who brings the tea?')
await finn.row('bob').getByText('2 unread').waitFor()
await take(finn.page, 'chat')
await finn
  .message(boat)
  .getByRole('button', { name: /^edited/ })
  .click()
await finn.popover.getByText(first).waitFor()
await take(finn.page, 'chat-texts')
await finn.page.keyboard.press('Escape')
await finn.openMenu('Sunday it is.')
await take(finn.page, 'chat-menu')
await finn.popover.getByRole('button', { name: 'Delete…' }).click()
await take(finn.page, 'chat-delete')
await finn.page.keyboard.press('Escape')
await finn.composer.press('ArrowUp')
await take(finn.page, 'chat-edit')
await finn.composer.press('Escape')
await finn.page.setViewportSize(sizes.narrow)
await finn.button('Back to the conversations').click()
await take(finn.page, 'chat-list')
await finn.row('Eve of the Pier').click()

await finn.say(refused)
await finn.reaches(refused, 'failed')
await take(finn.page, 'chat-failed')
network.cut()
await finn.page.getByRole('status').getByText('No connection.').waitFor()
await finn.say('I will bring the tea.')
await finn.page.getByText('Waits for a connection.').waitFor()
await finn.openMenu('Sunday it is.')
await finn.popover.getByRole('button', { name: 'Edit' }).click()
await finn.composer.fill('Sunday it is, then.')
await finn.composer.press('Enter')
await finn.page.getByText('The edit waits for a connection.').waitFor()
await take(finn.page, 'chat-offline')

if (process.argv.includes('--readme'))
  for (const name of ['chat', 'panel'])
    await copyFile(join(folder, `${name}-wide-light.png`), `server/web/pictures/${name}.png`)
await network[Symbol.asyncDispose]()
