import type { SignedIn } from '../../client-sdk/src/node.ts'
import type { Adapt } from '../../server/app.ts'
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

export const startArena = async (): Promise<Arena> => {
  const world = await startWorld({ adapt: cheapPasswords })
  let people = 0
  let isUp = true
  let turn: Promise<unknown> = Promise.resolve()
  /** One thing at a time: a restart would take the answer from a sign-up. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  return {
    target: () => (isUp ? world.url : null),
    signUp: (name, sessions) =>
      inTurn(async () => {
        const account = { username: `${name}${++people}`, password }
        const tokens: string[] = []
        for (let i = 0; i < sessions; i++) {
          // Not by the SDK, whose time runs too fast for what must not be sent twice.
          const { post } = createRestClient(world.url)
          const { body } = await post<SignedIn>(i === 0 ? '/api/register' : '/api/login', account)
          tokens.push(body.session.token)
        }
        return { userId: account.username, tokens }
      }),
    restart: () =>
      inTurn(async () => {
        isUp = false
        // A port of its own: nobody who tries the old one meanwhile can be in its way.
        await world.restart(0)
        isUp = true
      }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}
