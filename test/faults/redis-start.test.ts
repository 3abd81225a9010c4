import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness/directory.ts'
import { failToStart, startProcess } from '../harness/process.ts'
import { freePort, redisIsInstalled, startRedis } from '../harness/redis.ts'

const secret = 'very-secret'

/** Starts with this Redis, and expects one sentence for it, without the password, and no server. */
const refusedWith = async (redisUrl: string, sentence: RegExp) => {
  await using directory = await temporaryDirectory()
  const { code, output } = await failToStart({ DATA_DIR: directory.path, REDIS_URL: redisUrl, LOG_LEVEL: 'trace' })
  const words = output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  expect(words).toEqual([expect.stringMatching(sentence)])
  expect(output).not.toContain(secret)
  expect(output).not.toContain('    at ')
  expect(code).toBe(1)
}

test('an address that is none is refused with what is expected, and without the secret in it', async () => {
  for (const wrong of [`http://user:${secret}@127.0.0.1`, `redis:/${secret}`, `redis://u:${secret}@host/db`, secret]) {
    const { code, output } = await failToStart({ REDIS_URL: wrong })
    expect(output).toMatch(/^The environment has wrong values:\n {2}REDIS_URL=\.\.\.: an address such as redis:/)
    expect(output).not.toContain(secret)
    expect(code).toBe(1)
  }
})

test('nobody at the address: the server does not start, and says what to do', async () => {
  const port = await freePort()
  await Promise.all([
    refusedWith(
      `redis://user:${secret}@127.0.0.1:${port}`,
      new RegExp(`^Redis cannot be used at 127\\.0\\.0\\.1:${port}: nothing listens there; .* REDIS_URL`),
    ),
    refusedWith(`redis://:${secret}@no.such.host.invalid`, /no\.such\.host\.invalid:6379: .*REDIS_URL/),
  ])
})

test('something else at the address, or something that says nothing', async () => {
  for (const [greeting, sentence] of [
    ['HTTP/1.1 400 Bad Request\r\n\r\n', /does not speak the language of Redis/],
    [null, /no answer came in time/],
  ] as const) {
    const other = createServer((socket) => {
      socket.on('error', () => {})
      if (greeting !== null) socket.on('data', () => socket.write(greeting))
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await refusedWith(`redis://:${secret}@127.0.0.1:${port}`, sentence)
    other.close()
  }
})

describe.skipIf(!redisIsInstalled)('with a Redis (skipped where redis-server is not installed)', () => {
  test('a wrong password, none, or a wrong database', async () => {
    await using redis = await startRedis({ password: 'right' })
    const at = (rest: string) => `redis://${rest.replace('@', `@127.0.0.1:${redis.port}`)}`
    await refusedWith(at(`:${secret}@`), /refuses the user name or the password/)
    await refusedWith(at(`someone:${secret}@`), /refuses the user name or the password/)
    await refusedWith(at('@'), /asks for a password/)
    await refusedWith(at(':right@/99999'), /no database of this number/)
    await using directory = await temporaryDirectory()
    await using server = await startProcess({ DATA_DIR: directory.path, REDIS_URL: at(':right@/1') })
    const ready = await fetch(`${server.url}/readyz`)
    expect(await ready.json()).toEqual({ status: 'ready' })
    expect(await server.stop('SIGTERM')).toBe(0)
  })

  test('a user who may not listen on our channels', async () => {
    await using redis = await startRedis()
    const { Redis } = await import('ioredis')
    const admin = new Redis(redis.url)
    await admin.acl('SETUSER', 'parley', 'on', `>${secret}`, '+@all', '~*', 'resetchannels')
    admin.disconnect()
    await refusedWith(`redis://parley:${secret}@127.0.0.1:${redis.port}`, /its user may not do what is needed/)
  })

  test('a Redis Cluster', async () => {
    await using redis = await startRedis({ more: ['--cluster-enabled', 'yes'] })
    await refusedWith(`redis://127.0.0.1:${redis.port}`, /it is a Redis Cluster, which is not supported/)
  })

  test('a rediss:// address where Redis speaks no TLS', async () => {
    await using redis = await startRedis()
    await refusedWith(`rediss://:${secret}@127.0.0.1:${redis.port}`, /if Redis speaks no TLS there, use redis:\/\//)
  })
})
