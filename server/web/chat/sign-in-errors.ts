import { ChatError, limits } from '@parley/client'

export type Field = 'username' | 'password'
/** What is wrong, in plain words, at its field, or with the form as a whole. */
export type FormErrors = Partial<Record<Field | 'form', string>>

export const usernameWords = `${limits.usernameMin} to ${limits.usernameMax} characters: a to z, 0 to 9, and _ . -`
export const passwordWords = `At least ${limits.passwordMin} characters.`
const longPasswordWords = `At most ${limits.passwordMax} characters.`

export const isUsername = (text: string): boolean =>
  new RegExp(`^[a-z0-9_.-]{${limits.usernameMin},${limits.usernameMax}}$`).test(text)

/** What can be said before asking the server. */
export const checkForm = (form: { username: string; password: string; isNew: boolean }): FormErrors => {
  const { username, password, isNew } = form
  const errors: FormErrors = {}
  if (username === '') errors.username = 'Who are you? Type a username.'
  else if (isNew && !isUsername(username)) errors.username = `A username has ${usernameWords}`
  if (password === '') errors.password = isNew ? 'Choose a password.' : 'Type your password.'
  else if (isNew && password.length < limits.passwordMin) errors.password = passwordWords
  else if (password.length > limits.passwordMax) errors.password = longPasswordWords
  return errors
}

/** What the server, or the want of one, says. */
export const errorsOf = (error: unknown): FormErrors => {
  if (!(error instanceof ChatError)) throw error
  switch (error.kind) {
    case 'usernameTaken':
      return { username: 'This username is taken. Choose another, or sign in if it is yours.' }
    case 'commonPassword':
      return { password: 'Many people use this password, so it is easy to guess. Choose another.' }
    case 'badCredentials':
      return { form: 'The username or the password is wrong.' }
    case 'rateLimited':
      return { form: `Too many attempts. Try again ${inWords(error.retryAfterMs)}.` }
    case 'invalidInput':
      return fieldErrors(error)
    case 'connectionLost':
    case 'timedOut':
    case 'unavailable':
      return { form: 'The server cannot be reached. Check your connection and try again.' }
    default:
      return { form: error.message }
  }
}

/** The server's words are for developers; what a field takes is known here. */
const fieldErrors = ({ issues = [], message }: ChatError): FormErrors => {
  const known: Record<Field, string> = {
    username: `A username has ${usernameWords}`,
    password: `${passwordWords} ${longPasswordWords}`,
  }
  const fields = issues.map(({ path }) => path).filter((path): path is Field => path in known)
  if (fields.length === 0) return { form: message }
  return Object.fromEntries(fields.map((field) => [field, known[field]]))
}

const inWords = (ms = 0): string => {
  const minutes = Math.ceil(ms / 60_000)
  if (ms < 60_000) return `in ${Math.max(1, Math.ceil(ms / 1_000))} s`
  return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`
}
