import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { transformWithOxc } from 'vite'
import { expect, test } from 'vitest'
import { startWorld } from '../harness/world.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** The programs in a text: its fences of this language. */
const programs = (markdown: string, language: string) =>
  Array.from(markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms')), ([, code = '']) => code)

/** In the repository, since that is where a reader of it pastes them. */
const runInRepository = async (code: string, url: string) => {
  const directory = await mkdtemp(join(root, 'node_modules', '.readme-'))
  try {
    const file = join(directory, 'program.mjs')
    await writeFile(file, code)
    const environment = { ...process.env, PARLEY_URL: url }
    return await run(process.execPath, [file], { cwd: directory, env: environment, timeout: 15_000 })
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('the script at the top of the README shows a message arrive, the second time as well', async () => {
  await using world = await startWorld({ config: { rateLimits: true } })
  const [script = ''] = programs(await readFile(join(root, 'README.md'), 'utf8'), 'js')
  for (let round = 0; round < 4; round++) {
    const { stdout } = await runInRepository(script, world.url)
    expect(stdout).toBe('ada: Hello, Bob!\n')
  }
})

test('the script with an outbox says when its message is on disk', async () => {
  await using world = await startWorld()
  const [hello = '', outbox = ''] = programs(await readFile(join(root, 'README.md'), 'utf8'), 'js')
  await runInRepository(hello, world.url)
  const { stdout } = await runInRepository(outbox, world.url)
  expect(stdout).toMatch(/^connecting\n[\s\S]*\non disk as dm:ada:bob:2\n/)
})

test('the script is ten lines', async () => {
  const [script = ''] = programs(await readFile(join(root, 'README.md'), 'utf8'), 'js')
  expect(script.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(10)
})

test("the programs of the SDK's README run, one after the other, and say what they should", async () => {
  await using world = await startWorld()
  const markdown = await readFile(join(root, 'client-sdk/README.md'), 'utf8')
  const output: string[] = []
  for (const program of programs(markdown, 'ts')) {
    const { code } = await transformWithOxc(program, 'program.ts')
    const { stdout, stderr } = await runInRepository(code, world.url)
    expect(stderr, program).toBe('')
    output.push(...stdout.trim().split('\n'))
  }
  for (const line of [
    'message 1 of dm:ada:ben is on disk',
    'ada Are you there?',
    'Two',
    'Hello from the outbox sending',
    'it is message 5',
    'There is nobody of this name.',
  ]) {
    expect(output).toContain(line)
  }
})
