import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { hangMs } from '../harness/patience.ts'
import { password, startWorld } from '../harness/world.ts'
import { openPanel, placeAt } from './panel-page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

/** What somebody gets who copies the call that is open in this language. */
const copied = async (page: Page, language: string): Promise<string> => {
  await page.getByRole('radio', { name: language }).check()
  await page.getByRole('button', { name: 'Copy the code' }).click()
  await page.getByText('Copied').waitFor()
  return page.evaluate(() => navigator.clipboard.readText())
}

const inShell = async (line: string, environment: Record<string, string>): Promise<string> => {
  const options = { cwd: root, env: { ...process.env, ...environment }, timeout: hangMs }
  return (await run('sh', ['-c', line], options)).stdout
}

/** `npx` takes the command from where it is installed; here it is the one that was just built. */
const withOwnCommand = (line: string) => line.replace(/^npx parley /, `node ${root}client-sdk/bin/parley.js `)

/** So that what a program prints can be read. */
const asJson = `data:text/javascript,${encodeURIComponent('console.log = (value) => process.stdout.write(JSON.stringify(value) + "\\n")')}`

/** As a program in a file, just as it was copied. */
const inNode = async (program: string, environment: Record<string, string>): Promise<string> => {
  const directory = await mkdtemp(join(root, 'node_modules', '.copied-'))
  try {
    const file = join(directory, 'program.mjs')
    await writeFile(file, program)
    return await inShell(`node --import '${asJson}' ${file}`, environment)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** A text that no quoting may lose anything of. */
const text = `It's "5 < 6" & $HOME \`date\` \\ back\nand a new line, ünïcode 🦜`

browserTest('what is copied runs as it is and does the same: with the SDK, tRPC, curl and the command', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  const page = await openPanel(visit, world.url)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const ada = placeAt(page)
  await ada.signUp('ada')
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem('panel.identities') ?? '[]')[0].token)
  const environment = { TOKEN: token, PARLEY_TOKEN: token, URL: world.url, PASSWORD: password }

  await ada.choose('sendMessage')
  await ada.fill({ to: 'ada', text })
  await ada.root.getByText('As code').click()
  const answers = [
    JSON.parse(await inNode(await copied(page, 'SDK'), environment)),
    JSON.parse(await inNode(await copied(page, 'tRPC'), environment)),
    JSON.parse(await inShell(await copied(page, 'curl'), environment)).result.data.json,
    JSON.parse(await inShell(withOwnCommand(await copied(page, 'parley')), environment)),
  ]
  expect(answers.map((answer) => [answer.seq, answer.text])).toEqual([1, 2, 3, 4].map((seq) => [seq, text]))

  // A date is a date in each of them.
  await ada.choose('history')
  await ada.fill({ conversation: 'ada', beforeTime: '2001-01-01T00:00:00' })
  expect(JSON.parse(await inNode(await copied(page, 'SDK'), environment)).messages).toEqual([])
  expect(JSON.parse(await inNode(await copied(page, 'tRPC'), environment)).messages).toEqual([])
  expect(JSON.parse(await inShell(await copied(page, 'curl'), environment)).result.data.json.messages).toEqual([])
  expect(await copied(page, 'parley')).toBe('This input cannot be written: there is no place for beforeTime')
  await ada.fill({ beforeTime: '', limit: '2' })
  const lines = (await inShell(withOwnCommand(await copied(page, 'parley')), environment)).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).seq)).toEqual([3, 4])

  // What has been said is changed by the command that the panel writes, and by the SDK.
  await ada.choose('editMessage')
  await ada.fill({ messageId: 'dm:ada:ada:1', text, revision: '1' })
  const edit = await copied(page, 'parley')
  expect(edit).toMatch(/^npx parley edit --url \S+ --revision=1 -- dm:ada:ada:1 /)
  await ada.fill({ text: '-- with a dash' })
  expect(JSON.parse(await inNode(await copied(page, 'SDK'), environment))).toMatchObject({ revision: 2 })
  await ada.fill({ revision: '2', text })
  expect(JSON.parse(await inShell(withOwnCommand(await copied(page, 'parley')), environment))).toMatchObject({
    text,
    revision: 3,
  })
  await ada.choose('messageVersions')
  await ada.fill({ messageId: 'dm:ada:ada:1' })
  const versions = (await inShell(withOwnCommand(await copied(page, 'parley')), environment)).trim().split('\n')
  expect(versions.map((line) => JSON.parse(line).text)).toEqual([text, '-- with a dash', text])
  await ada.choose('deleteMessage')
  await ada.fill({ messageId: 'dm:ada:ada:1' })
  expect(JSON.parse(await inShell(withOwnCommand(await copied(page, 'parley')), environment))).toMatchObject({
    text: '',
  })
  await ada.choose('updateProfile')
  await ada.fill({ displayName: "-- O'Ada" })
  expect(JSON.parse(await inShell(withOwnCommand(await copied(page, 'parley')), environment))).toMatchObject({
    displayName: "-- O'Ada",
  })

  // A password is a variable, and what it says is nowhere.
  await ada.choose('login')
  await ada.fill({ username: 'ada', password: "it's secret" })
  for (const language of ['SDK', 'parley', 'tRPC', 'curl']) expect(await copied(page, language)).not.toContain('secret')
  const signedIn = JSON.parse(await inShell(await copied(page, 'curl'), environment))
  expect(signedIn.result.data.json.user.userId).toBe('ada')

  // A subscription goes on where the one on the page is.
  await ada.choose('onMessage')
  await ada.start('onMessage')
  await ada.live('onMessage').getByText('caughtUp').waitFor()
  expect(await copied(page, 'SDK')).toMatch(
    /\nfor await \(const event of client\.events\(\{ cursor: 'v\d+' \}\)\) console\.log\(event\)$/,
  )
  expect(await copied(page, 'tRPC')).toMatch(/\nclient\.onMessage\.subscribe\(\{ lastEventId: 'v\d+' \}, /)
  const stream = await inShell(`timeout 2 ${await copied(page, 'curl')} || true`, environment)
  expect(stream).toMatch(/"type":"ready"/)
  expect(stream).not.toMatch(/"type":"message"/)
  expect(await copied(page, 'parley')).toBe(`npx parley listen --url ${world.url}`)
})
