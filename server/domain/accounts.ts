import { createHash } from 'node:crypto'
import {
  ChatError,
  type Login,
  type Register,
  type SignedIn,
  type UpdateProfile,
  type User,
  type UserId,
} from '../contract/index.ts'
import { audiencesOfProfile } from './audiences.ts'
import { forgetOldNetworks, isKnownNetwork, rememberNetwork } from './known-networks.ts'
import type { Ports, StoredSession, StoredUser, Timer } from './ports.ts'
import { limitsOfAddress } from './sites.ts'
import { giveBackAll, type Limit, takeAll } from './taken-limits.ts'

export const sessionMs = 30 * 24 * 3_600_000
/** A session in use is moved on once a day, so that using it does not mean writing each time. */
const extendAfterMs = 24 * 3_600_000

export const register =
  (ports: Ports) =>
  async ({ username, password, displayName }: Register, address: string): Promise<SignedIn> => {
    const { store, passwords, rates, rules, clock } = ports
    if (passwords.isCommon(password)) throw new ChatError('commonPassword')
    if (isNameOf(password, [username, displayName ?? username]))
      throw new ChatError('commonPassword', { message: nameAsPassword })
    const ofAddress = limitsOfAddress(rules.register, address)
    await takeAll(rates, ofAddress)
    const hash = async () => {
      // It costs no hash, and who looks for a free name is not to be locked out.
      if (await store.user(username)) throw new ChatError('usernameTaken')
      return passwords.hash(password)
    }
    const passwordHash = await hash().catch((error: unknown) => {
      giveBackAll(rates, ofAddress)
      throw error
    })
    const user = await store.createUser({
      userId: username,
      displayName: displayName ?? username,
      passwordHash,
      createdAt: new Date(clock.now()),
    })
    return openSession(ports, user, address)
  }

const nameAsPassword = 'This password is the name, or the name with digits; choose another.'

/** A name is what a guesser tries first, and next the name with digits and signs. */
const isNameOf = (password: string, names: string[]): boolean => {
  const plain = (text: string) => text.normalize('NFKC').toLowerCase()
  const letters = (text: string) => plain(text).replace(/[^\p{L}\p{M}]/gu, '')
  return names.some(
    (name) => plain(name) === plain(password) || (letters(name) !== '' && letters(name) === letters(password)),
  )
}

/** Wrong name and wrong password are told apart neither by the answer nor by the time that it takes. */
export const login =
  (ports: Ports) =>
  async ({ username, password }: Login, address: string): Promise<SignedIn> => {
    const { store, passwords, rates, rules } = ports
    const isKnown = await isKnownNetwork(ports, username, address)
    const ofName: Limit[] = [[rules.login, `${username} ${address}`]]
    // A guesser elsewhere uses this up, and must not lock out the owner, who comes from where they came before.
    if (!isKnown) ofName.push([rules.loginFromUnknown, username])
    const ofAddress = limitsOfAddress(rules.loginFromAddress, address)
    // What is refused because of the name hashes nothing, and so takes nothing from others at this address.
    await takeAll(rates, [...ofName, ...ofAddress])
    const whoIsRight = async (): Promise<StoredUser | null> => {
      const user = await store.user(username)
      const isRight = await passwords.verify(user?.passwordHash ?? (await hashOfNobody(ports)), password)
      return isRight ? user : null
    }
    const user = await whoIsRight().catch((error: unknown) => {
      // What was never tried is not counted.
      giveBackAll(rates, [...ofName, ...ofAddress])
      throw error
    })
    if (!user) throw new ChatError('badCredentials')
    giveBackAll(rates, ofName)
    return openSession(ports, user, address)
  }

const decoys = new WeakMap<Ports, string>()
const hashOfNobody = async (ports: Ports): Promise<string> => {
  const decoy = decoys.get(ports) ?? (await ports.passwords.hash(ports.newToken()))
  decoys.set(ports, decoy)
  return decoy
}

const openSession = async (ports: Ports, user: StoredUser, address: string): Promise<SignedIn> => {
  const { store, clock, newToken } = ports
  const token = newToken()
  const createdAt = new Date(clock.now())
  const expiresAt = new Date(clock.now() + sessionMs)
  await Promise.all([
    store.createSession({ tokenHash: hashToken(token), userId: user.userId, createdAt, expiresAt }),
    rememberNetwork(ports, user.userId, address),
  ])
  return { user: publicUser(user), session: { token, expiresAt } }
}

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** @throws ChatError `sessionEnded` where the token opens nothing (any more). */
export const resumeSession =
  ({ store, clock }: Ports) =>
  async (tokenHash: string): Promise<StoredSession> => {
    const session = await store.session(tokenHash)
    const now = clock.now()
    if (!session || session.expiresAt.getTime() <= now) throw new ChatError('sessionEnded')
    if (session.expiresAt.getTime() > now + sessionMs - extendAfterMs) return session
    const expiresAt = new Date(now + sessionMs)
    await store.extendSession(tokenHash, expiresAt)
    return { ...session, expiresAt }
  }

const forgetEveryMs = 6 * 3_600_000

/** Nobody comes back for what has expired, so it would fill the store. @returns a function that ends it */
export const forgetExpired = (ports: Ports): (() => void) => {
  const { store, clock, log } = ports
  let timer: Timer | undefined
  const schedule = () => {
    timer = clock.setTimeout(() => {
      schedule()
      Promise.all([store.deleteExpiredSessions(new Date(clock.now())), forgetOldNetworks(ports)]).catch(
        (error: unknown) => log.warn({ error }, 'cannot delete what has expired; trying again'),
      )
    }, forgetEveryMs)
  }
  schedule()
  return () => timer?.cancel()
}

/** Ends the session for good; its connections are closed with the close code of ended sessions. */
export const logout =
  ({ store, bus }: Ports) =>
  async ({ tokenHash }: { tokenHash: string }): Promise<void> => {
    await store.deleteSession(tokenHash)
    bus.endSession(tokenHash)
  }

export const me =
  ({ store }: Pick<Ports, 'store'>) =>
  async (userId: UserId): Promise<User> => {
    const user = await store.user(userId)
    if (!user) throw new ChatError('sessionEnded')
    return publicUser(user)
  }

/** Everybody who shares a conversation with the caller is told. */
export const updateProfile =
  ({ store, bus, rates, rules }: Ports) =>
  async (caller: UserId, profile: UpdateProfile): Promise<User> => {
    rates.takeNow(rules.updateProfile, caller)
    // Before the change, so that nothing of a later version is published in between.
    const audiences = await audiencesOfProfile(store, caller)
    const user = await store.updateProfile(caller, profile)
    for (const audience of audiences)
      bus.publish(audience, { kind: 'user', version: user.version, conversationId: null, user })
    return me({ store })(caller)
  }

const publicUser = ({ userId, displayName, version, createdAt }: StoredUser): User => ({
  userId,
  displayName,
  version,
  createdAt,
})
