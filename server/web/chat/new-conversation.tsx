import { type ChatClient, ChatError, limits } from '@parley/client'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { Avatar } from './avatar.tsx'
import { type NamedPerson, notesTitle } from './names.ts'
import { goTo } from './route.ts'

/** Of those who are online, so many are offered. */
const offeredMax = 20
/** Somebody waits at the dialog for the answer. */
const lookUpMs = 5_000

const idWords = `A user id has 1 to ${limits.userIdMax} of the characters A to Z, a to z, 0 to 9, and _ . - @ | + = ~`
const isUserId = (text: string): boolean => new RegExp(`^[A-Za-z0-9_.\\-@|+=~]{1,${limits.userIdMax}}$`).test(text)

/** An id as it was typed; and as it may have been meant, by somebody who thinks of a username. */
const meantBy = (typed: string): string[] =>
  [...new Set([typed, typed.replace(/^@/, '').toLowerCase()])].filter(isUserId)

interface NewConversationProps {
  client: ChatClient
  userId: string
  onClose(): void
}

/** Asks whom to write to. */
export const NewConversation = ({ client, userId, onClose }: NewConversationProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const id = useId()
  const [wrong, setWrong] = useState('')
  const [isAsking, setIsAsking] = useState(false)
  const online = useOnline(client, userId)
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
    const typed = String(new FormData(event.currentTarget).get('to')).trim()
    if (typed === '') return refuse('Whom do you want to write to?')
    if (!isUserId(typed)) return refuse(idWords)
    setWrong('')
    setIsAsking(true)
    const found = await lookUp(client, meantBy(typed))
    setIsAsking(false)
    if ('userId' in found) open(found.userId)
    else refuse(found.words)
  }

  return (
    <dialog ref={dialog} className="new-conversation" aria-labelledby={`${id}-title`} onClose={onClose}>
      <form noValidate onSubmit={(event) => void submit(event)} aria-busy={isAsking}>
        <h2 id={`${id}-title`}>New conversation</h2>
        <div className="field">
          <label htmlFor={id}>User id</label>
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
        <button type="button" className="offer" onClick={() => open(userId)}>
          <Avatar id={userId} name={notesTitle} />
          {notesTitle}
        </button>
        {online.length > 0 && <h3 className="facts">Online now</h3>}
        {online.map((person) => (
          <button key={person.userId} type="button" className="offer" onClick={() => open(person.userId)}>
            <Avatar id={person.userId} name={person.displayName} isOnline />
            <span dir="auto">{person.displayName}</span>
            {person.displayName !== person.userId && <span className="facts">{person.userId}</span>}
          </button>
        ))}
      </div>
    </dialog>
  )
}

/** The first of these ids that somebody has, or why there is no writing to them. */
const lookUp = async (client: ChatClient, ids: string[]): Promise<{ userId: string } | { words: string }> => {
  const [typed = '', ...others] = ids
  try {
    await client.history({ conversation: typed, limit: 1 }, { timeoutMs: lookUpMs })
    return { userId: typed }
  } catch (error) {
    if (!(error instanceof ChatError)) throw error
    if (error.retryable)
      return { words: 'The server cannot be reached, so nobody knows this id at the moment. Try again.' }
    if (error.kind !== 'unknownUser') return { words: error.message }
  }
  const other = others.length > 0 ? await lookUp(client, others) : null
  return other && 'userId' in other ? other : { words: `There is nobody with the id “${typed}” here.` }
}

const useOnline = (client: ChatClient, userId: string): NamedPerson[] => {
  const [people, setPeople] = useState<NamedPerson[]>([])
  useEffect(() => {
    const over = new AbortController()
    client.onlineUsers({ limit: offeredMax }, { signal: over.signal }).then(
      ({ users }) => setPeople(users.filter((user) => user.userId !== userId)),
      // It is an offer: without a connection there is none.
      () => {},
    )
    return () => over.abort()
  }, [client, userId])
  return people
}
