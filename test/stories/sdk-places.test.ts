import { expect, test } from 'vitest'
import { createClient } from '../../client-sdk/src/node.ts'
import type { Adapt } from '../../server/app.ts'
import { versionsPerMs } from '../../server/domain/version-time.ts'
import { startWorld } from '../harness/world.ts'

/** As a store with many writers: who comes back with a cursor is read to from a little before it. */
const inexact: Adapt = (ports) => ({ ...ports, store: { ...ports.store, overlap: 60_000 * versionsPerMs } })

/** A program that ends with its last message, each time anew. */
const createProgram = (url: string, token: string) => {
  let cursor: string | undefined
  return {
    /** Runs until so many messages have come, or one with this text. @returns their texts */
    async run({ count = Number.POSITIVE_INFINITY, until }: { count?: number; until?: string }): Promise<string[]> {
      const client = createClient({ url, token })
      const texts: string[] = []
      for await (const event of client.events({ cursor })) {
        cursor = event.cursor
        if (event.type !== 'message') continue
        texts.push(event.message.text)
        if (texts.length === count || event.message.text === until) break
      }
      client.close()
      return texts
    },
    /** Ends as soon as it is connected. */
    async runIdly(): Promise<void> {
      const client = createClient({ url, token })
      for await (const event of client.events({ cursor })) {
        cursor = event.cursor
        break
      }
      client.close()
    },
  }
}

test('[P2] a program that comes back with its cursor gets nothing twice, though the store reads further back', async () => {
  await using world = await startWorld({ adapt: inexact })
  const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
  bob.client.close()
  const program = createProgram(bob.network.url, bob.token)
  await ada.send('bob', 'one', 'two')
  await cyd.send('bob', 'three')
  expect(await program.run({ until: 'three' })).toEqual(['one', 'two', 'three'])
  await program.runIdly()
  await program.runIdly()
  await ada.send('bob', 'four')
  await cyd.send('bob', 'five')
  expect(await program.run({ until: 'five' })).toEqual(['four', 'five'])
})

test('[P2] [P5] a program that ends while it reads what it missed from the history goes on in the middle of it', async () => {
  await using world = await startWorld()
  const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
  bob.client.close()
  const program = createProgram(bob.network.url, bob.token)
  await program.runIdly()
  const missed = Array.from({ length: 1_100 }, (_, i) => `${i}`)
  for (const part of [missed.slice(0, 500), missed.slice(500, 1_000), missed.slice(1_000)])
    await Promise.all(part.map((text) => ada.client.sendMessage({ to: 'bob', text })))
  const seen = await program.run({ count: 300 })
  seen.push(...(await program.run({ count: 300 })))
  await cyd.send('bob', 'from somebody else')
  await ada.send('bob', 'last')
  seen.push(...(await program.run({ until: 'last' })))
  const { length } = missed
  expect(seen.filter((text) => text !== 'from somebody else')).toHaveLength(length + 1)
  expect(new Set(seen).size).toBe(length + 2)
})
