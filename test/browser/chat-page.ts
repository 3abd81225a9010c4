import type { BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Visit } from '../harness/browser.ts'
import { type Network, startNetwork } from '../harness/network.ts'
import { password, type World } from '../harness/world.ts'

/** The chat page, as somebody uses it: by labels and names. */
export const chatAt = (page: Page) => {
  const composer = page.locator('.composer textarea')
  const messages = page.locator('.message')
  const chat = {
    page,
    composer,
    messages,
    log: page.locator('.log'),
    rows: page.getByRole('navigation', { name: 'Conversations' }).getByRole('link'),
    row: (name: string) =>
      page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name: new RegExp(`^${name}\\b`) }),
    button: (name: string) => page.getByRole('button', { name, exact: true }),
    async signUp(username: string) {
      await chat.button('Create an account').click()
      await page.getByLabel('Username').fill(username)
      await page.getByLabel('Password', { exact: true }).fill(password)
      await chat.button('Create account').click()
      await chat.isIn()
    },
    async signIn(username: string) {
      await page.getByLabel('Username').fill(username)
      await page.getByLabel('Password', { exact: true }).fill(password)
      await chat.button('Sign in').click()
      await chat.isIn()
    },
    isIn: () => chat.button('Sign out').waitFor({ state: 'attached' }),
    /** Opens a conversation by its name, from wherever the page is. */
    async start(name: string) {
      await chat.button('New conversation').click()
      await page.getByLabel('User id').fill(name)
      await chat.button('Start').click()
      await composer.waitFor()
    },
    async say(...texts: string[]) {
      for (const text of texts) {
        await composer.fill(text)
        await composer.press('Enter')
      }
    },
    /** The texts on the screen, the lowest ones last. */
    texts: () => page.locator('.message .text').allInnerTexts(),
    shows: (text: string) => page.locator('.message .text').getByText(text, { exact: true }).last().waitFor(),
    /** The message that says this. */
    message: (text: string) => saying(messages, text).last(),
    tombstones: page.locator('.message').getByText('This message was deleted'),
    /** What stands open beside a message. */
    popover: page.locator('.popover'),
    /** Opens what can be done with an own message. */
    async openMenu(text: string) {
      await saying(messages, text).last().hover()
      await saying(messages, text)
        .last()
        .getByRole('button', { name: /^Edit or delete/ })
        .click()
    },
    /** How far the messages are that say this. */
    statuses: (text: string) =>
      saying(messages, text).evaluateAll((all) => all.map((message) => (message as HTMLElement).dataset.status)),
    /** Waits until the message is that far. */
    reaches: (text: string, status: string) =>
      saying(page.locator(`.message[data-status="${status}"]`), text)
        .last()
        .waitFor(),
  }
  return chat
}
export type ChatPage = ReturnType<typeof chatAt>

export const openChat = async (visit: Visit, url: string, options?: BrowserContextOptions): Promise<ChatPage> =>
  chatAt(await visit.open(url, options))

/** The connection may be back by itself before the click. */
export const tryNow = async (chat: ChatPage) => {
  const clicked = chat
    .button('Try now')
    .click()
    .catch(() => {})
  await Promise.race([clicked, chat.button('Try now').waitFor({ state: 'detached' })])
}

/** A page behind a network of its own, which can be cut. */
export const openBehindNetwork = async (
  world: World,
  visit: Visit,
  options?: BrowserContextOptions,
): Promise<{ chat: ChatPage; network: Network }> => {
  const network = await startNetwork(world.url)
  world.config.allowedOrigins.push(network.url)
  // Where WebSockets fail, the SDK looks whether plain requests get through.
  visit.expect(/WebSocket connection to|net::ERR_/)
  return { chat: await openChat(visit, network.url, options), network }
}

const saying = (messages: Locator, text: string): Locator =>
  messages.filter({ has: messages.page().locator('.text', { hasText: exactly(text) }) })

const exactly = (text: string) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
