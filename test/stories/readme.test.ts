import { execFile } from 'node:child_process'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { transformWithOxc } from 'vite'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../harness/directory.ts'
import { anchors, documents, localLinks, programs, readDocument, root } from '../harness/documents.ts'
import { hangMs } from '../harness/patience.ts'
import { password, startWorld } from '../harness/world.ts'

const run = promisify(execFile)
const command = `node ${join(root, 'client-sdk/bin/parley.js')}`

/** In the repository, since that is where a reader of it pastes them. */
const runInRepository = async (code: string, url: string) => {
  const directory = await mkdtemp(join(root, 'node_modules', '.readme-'))
  try {
    const file = join(directory, 'program.mjs')
    await writeFile(file, code)
    const environment = { ...process.env, PARLEY_URL: url }
    return await run(process.execPath, [file], { cwd: directory, env: environment, timeout: hangMs })
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('the script at the top of the README shows a message arrive, the second time as well', async () => {
  await using world = await startWorld({ config: { rateLimits: true } })
  const [script = ''] = programs(await readDocument('README.md'), 'js')
  for (let round = 0; round < 4; round++) {
    const { stdout } = await runInRepository(script, world.url)
    expect(stdout).toBe('ada: Hello, Bob!\n')
  }
})

test('the script is ten lines', async () => {
  const [script = ''] = programs(await readDocument('README.md'), 'js')
  expect(script.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(10)
})

test('both READMEs and the pages run from one end to the other on one server with its limits, and say what they should', async () => {
  await using world = await startWorld({ config: { rateLimits: true } })
  await using home = await temporaryDirectory()
  const output: string[] = []
  const take = ({ stdout, stderr }: { stdout: string; stderr: string }) => {
    expect(stderr).toBe('')
    output.push(...stdout.trim().split('\n'))
  }
  const inShell = (script: string) =>
    run('sh', ['-ec', script], {
      cwd: home.path,
      env: {
        ...process.env,
        HOME: home.path,
        XDG_CONFIG_HOME: home.path,
        PARLEY_URL: world.url,
        PARLEY_PASSWORD: password,
      },
      timeout: hangMs,
    })

  const readme = await readDocument('README.md')
  for (const script of programs(readme, 'js')) take(await runInRepository(script, world.url))
  const [, curls = '', commands = ''] = programs(readme, 'sh')
  take(await inShell(curls.replace('http://127.0.0.1:3000', world.url)))
  // `listen` goes on until it is stopped, and `jq` is not everywhere.
  const ending = commands.split('\n').filter((line) => !line.includes(' listen '))
  take(await inShell(ending.join('\n').replaceAll('npx parley', command).replaceAll(' | jq -a .text', '')))

  const others = (await documents()).filter((path) => path !== 'README.md')
  for (const path of others) {
    const page = await readDocument(path)
    for (const program of [...programs(page, 'js'), ...programs(page, 'ts')]) {
      const { code } = await transformWithOxc(program, 'program.ts')
      take(await runInRepository(code, world.url))
    }
  }
  for (const line of [
    'ada: Hello, Bob!',
    /^on disk as dm:ada:bob:2$/,
    /"conversationId":"dm:ada:ada".*"text":"A note to myself"/,
    /^ada is signed in until /,
    /^message 3 of dm:ada:bob is on disk$/,
    'ada Are you there?',
    'Two',
    'Hello from the outbox sending',
    'it is message 8',
    'and has revision 2',
    'There is nobody of this name.',
    /^v\d+ caughtUp$/,
  ]) {
    expect(output).toContainEqual(typeof line === 'string' ? line : expect.stringMatching(line))
  }
})

test('what the READMEs and the pages link to is there, down to the heading', async () => {
  const broken: string[] = []
  for (const path of await documents()) {
    for (const link of localLinks(await readDocument(path))) {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : normalize(join(dirname(path), file))
      const isThere = await access(join(root, target)).then(
        () => true,
        () => false,
      )
      const hasAnchor = anchor === undefined || (isThere && anchors(await readDocument(target)).includes(anchor))
      if (!isThere || !hasAnchor) broken.push(`${path}: ${link}`)
    }
  }
  expect(broken).toEqual([])
})

test('the README leads to every page', async () => {
  const links = localLinks(await readDocument('README.md'))
  expect(links).toEqual(expect.arrayContaining((await documents()).filter((path) => path !== 'README.md')))
})

test('the page about operating has every setting', async () => {
  const settings = Array.from((await readDocument('.env.example')).matchAll(/^([A-Z_]+)=/gm), ([, name]) => name)
  expect(settings.length).toBeGreaterThan(10)
  const page = await readDocument('docs/operate.md')
  expect(settings.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
