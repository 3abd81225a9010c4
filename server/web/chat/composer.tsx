import { ChatError, limits } from '@parley/client'
import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react'
import { SendIcon } from './icons.tsx'

/** From here on it says how much still fits. */
const warnBelow = 200

interface ComposerProps {
  label: string
  /** What was written before. */
  draft: string
  onDraft(text: string): void
  /** @throws ChatError `outboxFull` */
  onSend(text: string): void
}

/** Enter sends, with Shift it begins a new line. */
export const Composer = ({ label, draft, onDraft, onSend }: ComposerProps) => {
  const [text, setText] = useState(draft)
  const [refusal, setRefusal] = useState('')
  const input = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const left = limits.textMax - text.length
  useGrowing(input, text)

  const write = (text: string) => {
    setText(text)
    setRefusal('')
    onDraft(text)
  }
  const send = () => {
    input.current?.focus()
    if (left < 0 || text.trim() === '') return
    try {
      onSend(text.trimEnd())
      write('')
    } catch (error) {
      if (!(error instanceof ChatError)) throw error
      setRefusal(error.message)
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter chooses a word. Safari reports the end of that as key 229.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return
    if (event.key !== 'Enter' || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    send()
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <p className="left" id={`${id}-left`}>
        {left < 0 ? `${characters(-left)} too many` : left < warnBelow && `${characters(left)} left`}
      </p>
      <p className="wrong" role="alert">
        {refusal}
      </p>
      <label className="unseen" htmlFor={id}>
        {label}
      </label>
      <textarea
        ref={input}
        id={id}
        rows={1}
        dir="auto"
        value={text}
        placeholder={label}
        enterKeyHint="send"
        autoComplete="off"
        aria-describedby={`${id}-left`}
        aria-invalid={left < 0}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="primary round" title="Send" disabled={left < 0 || text.trim() === ''}>
        <SendIcon />
        <span className="unseen">Send</span>
      </button>
    </form>
  )
}

/** As high as its text; the style sheet says how high at most. */
const useGrowing = (input: { current: HTMLTextAreaElement | null }, text: string) =>
  useLayoutEffect(() => {
    const element = input.current
    const form = element?.form
    if (!element || !form) return
    // While it is measured, the messages above must not grow: their scrolling would be cut to that.
    form.style.height = `${form.offsetHeight}px`
    element.style.height = 'auto'
    if (text !== '') element.style.height = `${element.scrollHeight + element.offsetHeight - element.clientHeight}px`
    form.style.height = ''
  }, [input, text])

const characters = (count: number) => `${count} ${count === 1 ? 'character' : 'characters'}`
