import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SignedIn } from '../../client-sdk/src/node.ts'
import type { Adapt } from '../../server/app.ts'
import type { JumpingClock } from '../harness/jumping-clock.ts'
import { createRestClient } from '../harness/rest-client.ts'
import { password, startWorld } from '../harness/world.ts'

/** One server for many schedules at once. */
export interface Arena extends AsyncDisposable {
  /** Where it serves; null while it restarts. */
  target(): string | null
  /** A name that nobody has, for somebody of this name in a schedule. @returns the tokens of so many sessions of hers */
  signUp(name: string, sessions: number): Promise<{ userId: string; tokens: string[] }>
  /** Stops it in an orderly way, and starts it on the same data. */
  restart(): Promise<void>
  /** A server of its own. */
  another(): Promise<Arena>
  /** @param ms off the real time; for everybody in this process */
  setClock(ms: number): void
  clockWasSet(): boolean
  backUp(): Promise<void>
  /** @returns whether there was a backup */
  restore(): Promise<boolean>
}

/** Accounts are many here, and passwords are tested elsewhere: these cost nothing. */
const cheapPasswords: Adapt = (ports) => ({
  ...ports,
  passwords: {
    hash: async (text) => text,
    verify: async (hash, text) => hash === text,
    isCommon: () => false,
  },
})

export const startArena = async (clock: Pick<JumpingClock, 'set' | 'wasSet'>): Promise<Arena> => {
  const world = await startWorld({ adapt: cheapPasswords })
  let people = 0
  let isUp = true
  let hasBackup = false
  const { dataDirectory } = world.config
  const [file, backup] = [join(dataDirectory, 'parley.db'), join(dataDirectory, 'backup')]
  let turn: Promise<unknown> = Promise.resolve()
  /** One thing at a time: a restart would take the answer from a sign-up. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  /** @param whileDown done while it is stopped */
  const restart = async (whileDown?: () => Promise<void>) => {
    isUp = false
    await world.app[Symbol.asyncDispose]()
    await whileDown?.()
    // A port of its own: nobody who tries the old one meanwhile can be in its way.
    await world.restart(0)
    isUp = true
  }

  return {
    target: () => (isUp ? world.url : null),
    signUp: (name, sessions) =>
      inTurn(async () => {
        const account = { username: `${name}${++people}`, password }
        const tokens: string[] = []
        await createRestClient(world.url).post('/api/register', account)
        for (let i = 0; i < sessions; i++) {
          // Not by the SDK, whose time runs too fast for what must not be sent twice.
          const { post } = createRestClient(world.url)
          const { body } = await post<SignedIn>('/api/login', account)
          tokens.push(body.session.token)
        }
        return { userId: account.username, tokens }
      }),
    another: () => startArena(clock),
    setClock: clock.set,
    clockWasSet: clock.wasSet,
    restart: () => inTurn(() => restart()),
    backUp: () =>
      inTurn(async () => {
        await restart(() => cp(file, backup))
        hasBackup = true
      }),
    restore: () =>
      inTurn(async () => {
        if (!hasBackup) return false
        await restart(async () => {
          for (const part of ['', '-wal', '-shm']) await rm(`${file}${part}`, { force: true })
          await cp(backup, file)
        })
        return true
      }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}
