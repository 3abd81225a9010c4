import { request } from 'node:http'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startWorld } from '../harness/world.ts'

interface Answer {
  status: number
  text: string
}

/** What a server at this URL answers to somebody who calls it by another name, as a page does whose name leads there. */
const askAs = (host: string, url: string, method = 'GET', body?: object): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { host, ...(body && { 'content-type': 'application/json' }) }
    const asked = request(url, { method, headers }, (response) => {
      let text = ''
      response.on('data', (data) => {
        text += data
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end(body && JSON.stringify(body))
  })

const openAs = (host: string, url: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc`, { headers: { host } })
    socket.once('open', () => {
      socket.terminate()
      resolve('open')
    })
    socket.once('error', ({ message }) => resolve(message))
  })

const account = { username: 'eve', password: 'correct horse battery' }

test('[P9] a page whose own name leads to this server is answered by none of its doors, and told which setting to mend', async () => {
  await using world = await startWorld()
  const doors: [method: string, path: string, body?: object][] = [
    ['GET', '/'],
    ['GET', '/panel'],
    ['POST', '/api/register', account],
    ['GET', '/api/openapi.json'],
    ['POST', '/trpc/register', account],
    ['GET', '/trpc/onMessage'],
    ['GET', '/nowhere'],
  ]
  for (const [method, path, body] of doors) {
    const { status, text } = await askAs('evil.example:3000', `${world.url}${path}`, method, body)
    expect([path, status]).toEqual([path, 421])
    expect(text).toContain('This server is not known as evil.example.')
    expect(text).toContain('set PUBLIC_URL to it, such as https://evil.example.')
  }
  expect(await openAs('evil.example', world.url)).toContain('421')
  expect((await askAs('127.0.0.1', `${world.url}/api/register`, 'POST', account)).status).toBe(201)
})

test('addresses, localhost, and the names of the settings are known, with any port', async () => {
  await using world = await startWorld({
    config: { publicUrl: 'https://chat.example.org', allowedOrigins: ['https://app.example.org'] },
  })
  const { port } = new URL(world.url)
  const known = [
    '127.0.0.1',
    `127.0.0.1:${port}`,
    '[::1]',
    '192.168.1.5:3000',
    'localhost',
    'LOCALHOST:8080',
    'chat.localhost',
  ]
  const named = ['chat.example.org', 'Chat.Example.org.', 'chat.example.org:8443', 'app.example.org']
  for (const host of [...known, ...named]) {
    expect([host, (await askAs(host, `${world.url}/api/openapi.json`)).status]).toEqual([host, 200])
    expect([host, await openAs(host, world.url)]).toEqual([host, 'open'])
  }
  for (const host of [
    'example.org',
    'chat.example.org.evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ]) {
    expect([host, (await askAs(host, `${world.url}/api/openapi.json`)).status]).toEqual([host, 421])
    expect(await openAs(host, world.url)).toContain('421')
  }
  // Whoever looks after it may call it as he likes.
  expect((await askAs('parley:3000', `${world.url}/healthz`)).status).toBe(200)
  expect((await askAs('parley:3000', `${world.url}/readyz?from=probe`)).status).toBe(200)
})

test('PUBLIC_URL is one of the pages that may call', async () => {
  await using world = await startWorld({ config: { publicUrl: 'https://chat.example.org' } })
  const headers = { origin: 'https://chat.example.org' }
  const { headers: answered } = await fetch(`${world.url}/healthz`, { headers })
  expect(answered.get('access-control-allow-origin')).toBe('https://chat.example.org')
})

test('no answer is taken for anything but what it says it is, and no answer to a call is kept', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const authorization = `Bearer ${ada.token}`
  for (const path of [
    '/',
    '/panel',
    '/nowhere',
    '/api/me',
    '/api/nowhere',
    '/api/openapi.json',
    '/trpc/me',
    '/trpc/nothing',
  ]) {
    const { headers } = await fetch(`${world.url}${path}`, { headers: { authorization } })
    expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff'])
    if (path.startsWith('/trpc')) expect([path, headers.get('cache-control')]).toEqual([path, 'no-store'])
  }
})
