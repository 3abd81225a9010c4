import { ChatError, limits } from '@parley/client'
import { useConversations, useView } from '@parley/client/react'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import type { Account } from './account.ts'

/** Somebody waits for the answer. */
const answerMs = 10_000

/** The name that others see; it may be changed at another device as well. */
export const useOwnName = ({ chat, profile, takeProfile }: Account): string => {
  const { conversations } = useConversations()
  const told = conversations[0]?.members.find(({ userId }) => userId === chat.userId)
  useEffect(() => {
    if (told) takeProfile(told)
  }, [told, takeProfile])
  return useView(profile).displayName
}

/** Changes the name that others see. */
export const OwnName = ({ account, onClose }: { account: Account; onClose(): void }) => {
  const { client, profile, takeProfile } = account
  const { displayName } = profile.getSnapshot()
  const input = useRef<HTMLInputElement>(null)
  const [wrong, setWrong] = useState('')
  const [isAsking, setIsAsking] = useState(false)
  const id = useId()
  useEffect(() => input.current?.select(), [])

  const close = () => {
    input.current?.closest('header')?.querySelector<HTMLElement>('.own-name')?.focus()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (isAsking) return
    const name = String(new FormData(event.currentTarget).get('name')).trim()
    if (name === '') return refuse('What shall others call you?')
    if (name === displayName) return close()
    setIsAsking(true)
    try {
      takeProfile(await client.updateProfile({ displayName: name }, { timeoutMs: answerMs }))
      close()
    } catch (error) {
      if (!(error instanceof ChatError)) throw error
      setIsAsking(false)
      refuse(wordsOf(error))
    }
  }
  const refuse = (words: string) => {
    setWrong(words)
    input.current?.focus()
  }

  return (
    <form
      className="ask rename"
      noValidate
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => event.key === 'Escape' && close()}
      aria-busy={isAsking}
    >
      <label htmlFor={id}>Your name, as others see it</label>
      <input
        ref={input}
        id={id}
        name="name"
        dir="auto"
        defaultValue={displayName}
        maxLength={limits.displayNameMax}
        autoComplete="nickname"
        aria-invalid={wrong !== ''}
        aria-describedby={`${id}-wrong`}
      />
      <p className="wrong" id={`${id}-wrong`} role="alert">
        {wrong}
      </p>
      <button type="button" className="small" onClick={close}>
        Cancel
      </button>
      <button type="submit" className="primary small" aria-disabled={isAsking}>
        {isAsking ? 'Saving…' : 'Save'}
      </button>
    </form>
  )
}

const wordsOf = ({ kind, message, retryable }: ChatError): string => {
  if (kind === 'rateLimited') return 'You have changed it many times. Try again in a minute.'
  return retryable ? 'The server cannot be reached. Try again.' : message
}
