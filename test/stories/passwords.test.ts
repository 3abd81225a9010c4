import { hash } from '@node-rs/argon2'
import { expect, test } from 'vitest'
import { createClient } from '../../client-sdk/src/node.ts'
import { createPasswords } from '../../server/passwords.ts'
import { password, startWorld } from '../harness/world.ts'

/** One text in two ways: `ü` as one character, and as `u` with a mark. */
const composed = 'Zürich am See'
const decomposed = 'Zu\u0308rich am See'

test('a password is the same however the keyboard writes its characters', async () => {
  await using world = await startWorld()
  const client = createClient({ url: world.url })
  await client.register({ username: 'ada', password: composed })
  await client.logout()
  await client.login({ username: 'ada', password: decomposed })
  await client.logout()
  await expect(client.login({ username: 'ada', password: 'Zurich am See' })).rejects.toMatchObject({
    kind: 'badCredentials',
  })
  client.close()
})

test('a password that was hashed as it was typed goes on working', async () => {
  const passwords = createPasswords()
  const old = await hash(decomposed)
  expect(await passwords.verify(old, decomposed)).toBe(true)
  expect(await passwords.verify(old, 'something else')).toBe(false)
  expect(await passwords.verify(await passwords.hash(decomposed), composed)).toBe(true)
})

test('an ill-formed password is refused, since it would be hashed as another one', async () => {
  await using world = await startWorld()
  const { api } = world.plain()
  const wrong = { username: 'ada', password: 'half a pair \ud83d' }
  for (const call of [api.register, api.login]) {
    await expect(call.mutate(wrong)).rejects.toMatchObject({ data: { kind: 'invalidInput' } })
  }
})

test('a password that is the name, or the name with digits and signs, is refused', async () => {
  await using world = await startWorld()
  const { api } = world.plain()
  const nearly: [username: string, displayName: string | undefined, password: string][] = [
    ['ottokarius', undefined, 'ottokarius'],
    ['ottokarius', undefined, 'OttoKarius'],
    ['ottokarius', undefined, 'ottokarius1815'],
    ['ottokarius', undefined, '1815-ottokarius!'],
    ['ada.ottokarius', undefined, 'adaottokarius99'],
    ['ada_1', 'Otto Karius', 'OttoKarius1'],
    ['12345678x', undefined, '12345678X'],
  ]
  for (const [username, displayName, password] of nearly) {
    await expect(api.register.mutate({ username, displayName, password })).rejects.toMatchObject({
      message: 'This password is the name, or the name with digits; choose another.',
      data: { kind: 'commonPassword' },
    })
  }
  await api.register.mutate({ username: 'ottokarius', password: 'ottokarius had an engine' })
  // No letters: there is nothing of the name in it.
  await api.register.mutate({ username: '1234', password: '5678-9012-3456' })
})

test('a display name shows something, and turns no text around', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const wrong = [
    '\u200b\u200d',
    '\u3164',
    '\u2800\u2800',
    '\u0301',
    '\u202eecila',
    'a\u2066b',
    'a\u0007b',
    'a\nb',
    '\u2060',
  ]
  for (const displayName of wrong) {
    await expect(ada.client.updateProfile({ displayName }), JSON.stringify(displayName)).rejects.toMatchObject({
      kind: 'invalidInput',
    })
  }
  for (const displayName of ['Ada', 'أدا', '愛', '👩‍💻', 'Ada\u200fع', "O'Neill-Łukasz", '...']) {
    expect((await ada.client.updateProfile({ displayName })).displayName).toBe(displayName)
  }
  await expect(
    world.plain().api.register.mutate({ username: 'eve', password, displayName: '\u202eada' }),
  ).rejects.toMatchObject({ data: { kind: 'invalidInput' } })
})
