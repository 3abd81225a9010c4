import { expect, test } from 'vitest'
import type { Meta } from '../../server/trpc/procedures.ts'
import { appRouter } from '../../server/trpc/router.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { startWorld } from '../harness/world.ts'

/** What a stranger may call. */
const open = ['login', 'register']
/** An input that fits, where one is needed: the session has to be what is missing. */
const inputs: Record<string, unknown> = {
  updateProfile: { displayName: 'Ada' },
  sendMessage: { to: 'ada', text: 'hi' },
  editMessage: { messageId: 'dm:ada:bob:1', text: 'hi', revision: 1 },
  deleteMessage: { messageId: 'dm:ada:bob:1' },
  messageVersions: { messageId: 'dm:ada:bob:1' },
  markRead: { messageId: 'dm:ada:bob:1' },
  markDelivered: [{ conversationId: 'dm:ada:bob', seq: 1 }],
  history: { conversation: 'ada' },
}

test('[P9] every procedure but register and login asks for a session', async () => {
  await using world = await startWorld()
  await using raw = await startRawClient(world.url, null)
  const procedures = Object.entries(appRouter._def.procedures)
  const closed = procedures.filter(([name]) => !open.includes(name))
  expect(closed.length).toBe(procedures.length - open.length)
  const frames = closed.map(([path, { _def }], id) =>
    JSON.stringify({ id, method: _def.type, params: { path, input: { json: inputs[path] } } }),
  )
  const answers = await raw.exchange(closed.length, frames)
  const kinds = closed.map(([name], id) => [name, answers.find((answer) => answer.id === id)?.error?.json.data.kind])
  expect(kinds).toEqual(closed.map(([name]) => [name, 'notSignedIn']))
})

test('every procedure says what it does', () => {
  const silent = Object.entries(appRouter._def.procedures).filter(
    ([, { _def }]) => !(_def.meta as Meta | undefined)?.description,
  )
  expect(silent).toEqual([])
})
