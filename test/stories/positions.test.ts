import { expect, test } from 'vitest'
import { versionAt, versionsPerMs } from '../../server/domain/version-time.ts'
import { startWorld, type World } from '../harness/world.ts'

/** The position that a stranger is told when a subscription has caught up. */
const positionAt = async (world: World, token: string): Promise<{ version: number; before: number; after: number }> => {
  await using stranger = world.plain(token)
  const before = Date.now()
  const id = await new Promise<string>((resolve) => {
    stranger.api.onMessage.subscribe(undefined, {
      onData({ id, data }) {
        if (data.type === 'caughtUp') resolve(id)
      },
    })
  })
  return { version: Number(id.slice(1)), before, after: Date.now() }
}

test('[P9] a position is the clock’s: on a busy store it tells a stranger no more than on a quiet one', async () => {
  await using world = await startWorld()
  const [ada, , eve] = await world.people('ada', 'bob', 'eve')
  const quiet = [await positionAt(world, eve.token), await positionAt(world, eve.token)]

  let isBusy = true
  const traffic = (async () => {
    for (let i = 0; isBusy; i++) await Promise.all([ada.send('bob', `${i}`), ada.send('ada', `${i}`)])
  })()
  const busy = [await positionAt(world, eve.token), await positionAt(world, eve.token)]
  isBusy = false
  await traffic

  for (const { version, before, after } of [...quiet, ...busy]) {
    expect(version).toBeGreaterThanOrEqual(versionAt(before) - 1)
    expect(version).toBeLessThanOrEqual(versionAt(after))
    // What it is beyond its millisecond is always the same, whatever was written in it.
    expect(version % versionsPerMs).toBe(versionsPerMs - 1)
  }
})

test('[P9] the version of a message does not count what else was written in its millisecond', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob')
  const within = new Set<number>()
  for (let i = 0; i < 20; i++)
    within.add((await ada.client.sendMessage({ to: 'bob', text: `${i}` })).version % versionsPerMs)
  // Alone in its commit, a counter would give each of them the same.
  expect(within.size).toBeGreaterThan(10)
})
