import { z } from 'zod'
import { type UserId, Username, type Version } from './ids.ts'
import { limits } from './limits.ts'

/** Lone surrogates cannot be stored as UTF-8: refused here rather than changed in silence. */
export const isWellFormed = (text: string): boolean => text.isWellFormed()

const wellFormed = 'Not well-formed Unicode'

/** Controls, and what makes text that follows run the other way. */
const tricks = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u
/** Letters, digits and signs that show nothing: fillers of Hangul, and a Braille cell without dots. */
const blanks = /[\u115f\u1160\u3164\uffa0\u2800]/g
const isVisible = (text: string): boolean => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text.replace(blanks, ''))

export const DisplayName = z
  .string()
  .trim()
  .min(1)
  .max(limits.displayNameMax)
  .refine(isWellFormed, wellFormed)
  .refine((name) => !tricks.test(name), 'A name has no control characters, and none that turn the direction of text')
  .refine(isVisible, 'A name has something that can be seen')

/** Pages show dots in its place, and keep it out of addresses and of what is copied. */
const asPassword = { format: 'password' } as const

/** Each way to write a character counts as the same (NFKC). */
export const Password = z
  .string()
  .min(limits.passwordMin)
  .max(limits.passwordMax)
  .refine(isWellFormed, wellFormed)
  .meta(asPassword)

export const Register = z.strictObject({
  username: Username,
  password: Password,
  displayName: DisplayName.optional(),
})
export type Register = z.infer<typeof Register>

/** The password is not held to the rules of new ones: a wrong one is `badCredentials`, whatever its shape. */
export const Login = z.strictObject({
  username: Username,
  password: z.string().max(limits.passwordMax).refine(isWellFormed, wellFormed).meta(asPassword),
})
export type Login = z.infer<typeof Login>

export const UpdateProfile = z.strictObject({ displayName: DisplayName })
export type UpdateProfile = z.infer<typeof UpdateProfile>

/** A person, as others see them. */
export interface Profile {
  userId: UserId
  /** The user id where none was chosen. */
  displayName: string
  /** When the profile last changed. */
  version: Version
}

/** The caller's own account. */
export interface User extends Profile {
  createdAt: Date
}

export interface Session {
  /** 256 random bits, base64url. Given out once; the server keeps its hash. */
  token: string
  /** Moves on while the session is used. */
  expiresAt: Date
}

export interface SignedIn {
  user: User
  session: Session
}
