import { type ChatClient, ChatError } from '@parley/client'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { Avatar } from './avatar.tsx'
import { goTo } from './place.ts'
import { isUsername } from './sign-in-errors.ts'

/** Of those who are online, so many are offered. */
const offeredMax = 20
/** Somebody waits at the dialog for the answer. */
const lookUpMs = 5_000

interface NewConversationProps {
  client: ChatClient
  username: string
  onClose(): void
}

/** Asks whom to write to. */
export const NewConversation = ({ client, username, onClose }: NewConversationProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const id = useId()
  const [wrong, setWrong] = useState('')
  const [isAsking, setIsAsking] = useState(false)
  const online = useOnline(client, username)
  useEffect(() => dialog.current?.showModal(), [])

  const open = (address: string) => {
    goTo(address)
    onClose()
  }
  const refuse = (words: string) => {
    setWrong(words)
    input.current?.focus()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (isAsking) return
    const name = String(new FormData(event.currentTarget).get('to')).trim().replace(/^@/, '').toLowerCase()
    if (name === '') return refuse('Whom do you want to write to?')
    if (!isUsername(name)) return refuse('Usernames have at least 3 characters: a to z, 0 to 9, and _ . -')
    setWrong('')
    setIsAsking(true)
    const words = await whyNot(client, name)
    setIsAsking(false)
    if (words === null) open(name)
    else refuse(words)
  }

  return (
    <dialog ref={dialog} className="new-conversation" aria-labelledby={`${id}-title`} onClose={onClose}>
      <form noValidate onSubmit={(event) => void submit(event)} aria-busy={isAsking}>
        <h2 id={`${id}-title`}>New conversation</h2>
        <div className="field">
          <label htmlFor={id}>Username</label>
          <input
            ref={input}
            id={id}
            name="to"
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            aria-invalid={wrong !== ''}
            aria-describedby={`${id}-wrong`}
          />
          <p className="wrong" id={`${id}-wrong`} role="alert">
            {wrong}
          </p>
        </div>
        <div className="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="primary" aria-disabled={isAsking}>
            {isAsking ? 'Looking…' : 'Start'}
          </button>
        </div>
      </form>
      <div className="offers">
        <button type="button" className="offer" onClick={() => open(username)}>
          <Avatar name="Notes to yourself" />
          Notes to yourself
        </button>
        {online.length > 0 && <h3 className="facts">Online now</h3>}
        {online.map((name) => (
          <button key={name} type="button" className="offer" onClick={() => open(name)}>
            <Avatar name={name} isOnline />
            {name}
          </button>
        ))}
      </div>
    </dialog>
  )
}

/** Why there is no writing to this name; null: there is. */
const whyNot = async (client: ChatClient, name: string): Promise<string | null> => {
  try {
    await client.history({ conversation: name, limit: 1 }, { timeoutMs: lookUpMs })
    return null
  } catch (error) {
    if (!(error instanceof ChatError)) throw error
    if (error.kind === 'unknownUser') return `There is nobody called “${name}” here.`
    if (error.retryable) return 'The server cannot be reached, so nobody knows this name at the moment. Try again.'
    return error.message
  }
}

const useOnline = (client: ChatClient, username: string): string[] => {
  const [names, setNames] = useState<string[]>([])
  useEffect(() => {
    const over = new AbortController()
    client.onlineUsers({ limit: offeredMax }, { signal: over.signal }).then(
      ({ users }) => setNames(users.map((user) => user.username).filter((name) => name !== username)),
      // It is an offer: without a connection there is none.
      () => {},
    )
    return () => over.abort()
  }, [client, username])
  return names
}
