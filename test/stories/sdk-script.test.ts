import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { createInbox } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

// The SDK in a program that ends by itself.

describe.concurrent('a script', () => {
  test.for([
    ['a WebSocket', {}],
    ['plain HTTP', { webSockets: 'refused' }],
  ] as const)('ends after close(), also when the network has died, over %s', async ([, options]) => {
    await using world = await startWorld(options)
    const [ada] = await world.people('ada')
    await using script = startScript(
      `const client = createClient({ url: '${ada.network.url}', token: '${ada.token}' })
       client.messages().next()
       await client.me()
       console.log('ready')
       process.stdin.once('data', () => { client.close(); process.stdin.destroy(); console.log('closed') })`,
    )
    await script.line('ready')
    ada.network.freeze()
    script.write('close')
    await script.line('closed')
    const closedAt = performance.now()
    expect(await script.exit()).toBe(0)
    // `ws` alone takes 30 s.
    expect(performance.now() - closedAt).toBeLessThan(10_000)
  })

  test('learns of the error of a listener of its own, and stays connected', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using script = startScript(
      `process.on('uncaughtException', ({ message }) => console.log(message))
       const client = createClient({ url: '${world.url}', token: '${ada.token}' })
       client.onState(({ status }) => { throw new Error('at ' + status) })
       console.log((await client.me()).userId)
       client.close()`,
    )
    for (const line of ['at connecting', 'at live', 'ada', 'at closed']) await script.line(line)
    expect(await script.exit()).toBe(0)
  })

  test('ends soon after close(), whatever it was about, over plain HTTP', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada', 'bob')
    await using script = startScript(
      `const client = createClient({ url: '${ada.network.url}', token: '${ada.token}' })
       client.messages().next()
       await client.sendMessage({ to: 'bob', text: 'one' })
       for (let i = 0; i < 100; i++) client.sendMessage({ to: 'bob', text: 'more' }).catch(() => {})
       client.history({ conversation: 'bob' }).catch(() => {})
       client.close()
       console.log('closed')`,
    )
    await script.line('closed')
    const closedAt = performance.now()
    expect(await script.exit()).toBe(0)
    expect(performance.now() - closedAt).toBeLessThan(3_000)
  })

  test('that leaves a loop while it connects goes on', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using script = startScript(
      `const client = createClient({ url: '${world.url}', token: '${ada.token}' })
       const abort = new AbortController()
       const loop = client.messages({ signal: abort.signal }).next()
       setTimeout(() => abort.abort())
       console.log((await loop).done, (await client.me()).userId)
       client.close()`,
    )
    await script.line('true ada')
    expect(await script.exit()).toBe(0)
  })
})

/** A program of somebody who uses the SDK, as a process of its own. */
const startScript = (text: string) => {
  const sdk = new URL('../../dist/client-sdk/src/node.js', import.meta.url)
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', `import { createClient } from '${sdk}'\n${text}`],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInbox<string>()
  createInterface({ input: child.stdout }).on('line', lines.add)
  const exit = once(child, 'exit').then(([code]) => {
    lines.fail(new Error(`It has ended, with ${code} and the lines: ${lines.items.join(', ')}`))
    return code as number | null
  })
  return {
    line: (line: string) => lines.until(() => lines.items.includes(line)),
    write: (text: string) => child.stdin.write(`${text}\n`),
    exit: () => exit,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}
