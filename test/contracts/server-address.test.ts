import { expect, test } from 'vitest'
import { addressesOf } from '../../client-sdk/src/transport/address.ts'

// Where the SDK takes its calls, by the address of the server that it was given.

const schemes = [
  ['http:', 'http:', 'ws:'],
  ['ws:', 'http:', 'ws:'],
  ['https:', 'https:', 'wss:'],
  ['wss:', 'https:', 'wss:'],
  ['HTTPS:', 'https:', 'wss:'],
] as const
const hosts = ['chat.example.org', 'chat.example.org:3000', '127.0.0.1:3000', '[::1]:3000', 'ws.example.org']
const paths = [
  ['', ''],
  ['/', ''],
  ['/chat', '/chat'],
  ['/chat/', '/chat'],
  ['/a/b//', '/a/b'],
  ['/?a=b', ''],
  ['/chat?a=https://other.example', '/chat'],
  ['/chat#room', '/chat'],
] as const

test.each(schemes)('%s is %s for calls, and %s for a WebSocket, whatever follows', (given, http, webSocket) => {
  for (const host of hosts) {
    for (const [path, expected] of paths) {
      expect(addressesOf(`${given}//${host}${path}`)).toEqual({
        http: `${http}//${host}${expected}/trpc`,
        webSocket: `${webSocket}//${host}${expected}/trpc?connectionParams=1`,
      })
    }
  }
})

test('the usual port is left out', () => {
  expect(addressesOf('wss://chat.example.org:443').http).toBe('https://chat.example.org/trpc')
  expect(addressesOf('ws://chat.example.org:80').webSocket).toBe('ws://chat.example.org/trpc?connectionParams=1')
})

test.each([
  '',
  'chat.example.org',
  'localhost:3000',
  '//chat.example.org',
  'ftp://chat.example.org',
  'https:',
  'wsx://a',
])('what is no address is refused: «%s»', (url) => {
  const words = `url: "${url}" is not the address of a server, such as https://chat.example.org`
  expect(() => addressesOf(url)).toThrow(expect.objectContaining({ kind: 'invalidInput', message: words }))
})

test.each(['https://ada:secret@chat.example.org', 'ws://ada@chat.example.org', 'wss://:secret@chat.example.org'])(
  'a name or a password in it is refused in words that do not repeat it: %s',
  (url) => {
    const words = 'url: it holds a name or a password; sign in with them instead'
    expect(() => addressesOf(url)).toThrow(expect.objectContaining({ kind: 'invalidInput', message: words }))
  },
)
