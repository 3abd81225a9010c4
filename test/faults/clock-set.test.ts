import { expect, test } from 'vitest'
import { createClient } from '../../client-sdk/src/node.ts'
import { jumpingClock } from '../harness/jumping-clock.ts'
import { startWorld } from '../harness/world.ts'

// Somebody sets the clock of the machine while the server runs.

test('[P5] who comes back after the clock was set back by an hour goes on where she was', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  using clock = jumpingClock()
  const loop = createClient({ url: world.url, token: bob.token }).events()
  let cursor = ''
  for (let isLive = false; !isLive || cursor === ''; ) {
    const { value } = await loop.next()
    if (value?.type === 'message') cursor = value.cursor
    if (value?.type !== 'caughtUp') continue
    isLive = true
    // Later than the present that the server told this client.
    clock.set(1_000)
    await ada.send('bob', 'one')
  }
  clock.set(-3_600_000)
  await ada.send('bob', 'two')
  const texts: string[] = []
  for await (const event of createClient({ url: world.url, token: bob.token }).events({ cursor })) {
    if (event.type === 'message') texts.push(event.message.text)
    if (event.type === 'caughtUp') break
  }
  expect(texts).toEqual(['two'])
})
