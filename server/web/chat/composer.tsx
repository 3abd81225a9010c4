import { ChatError, type ChatMessage, limits } from '@parley/client'
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import type { Editing } from './editing.ts'
import { CheckIcon, CrossIcon, SendIcon } from './icons.tsx'
import { oneLine } from './one-line.ts'

/** From here on it says how much still fits. */
const warnBelow = 200

interface ComposerProps {
  label: string
  /** What was written before. */
  draft: string
  onDraft(text: string): void
  /** @throws ChatError `outboxFull` */
  onSend(text: string): void
  /** A message that was sent, in the place of the draft. */
  editing: Editing | null
  /** @returns whether there is one to edit */
  onEditLast(): boolean
  onSave(message: ChatMessage, text: string): void
  onCancelEdit(): void
}

/** Enter sends, with Shift it begins a new line; with nothing written, the arrow up edits what was sent last. */
export const Composer = (props: ComposerProps) => {
  const { label, draft, onDraft, onSend, editing, onEditLast, onSave, onCancelEdit } = props
  const [written, setWritten] = useState(draft)
  const [edited, setEdited] = useEditedText(editing)
  const [refusal, setRefusal] = useState('')
  const input = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const text = editing ? edited : written
  const left = limits.textMax - text.length
  useGrowing(input, text)
  useFocusWhenEditing(input, editing?.message.key ?? null)

  const write = (text: string) => {
    setRefusal('')
    if (editing) return setEdited(text)
    setWritten(text)
    onDraft(text)
  }
  const send = () => {
    input.current?.focus()
    if (left < 0 || text.trim() === '') return
    if (editing) {
      if (text.trimEnd() !== editing.message.text) onSave(editing.message, text.trimEnd())
      return onCancelEdit()
    }
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
    if (event.key === 'Escape' && editing) {
      // It is answered here: the page would leave the conversation.
      event.preventDefault()
      return onCancelEdit()
    }
    const isPlain = !(event.shiftKey || event.altKey || event.ctrlKey || event.metaKey)
    if (event.key === 'ArrowUp' && isPlain && !editing && text === '') {
      if (onEditLast()) event.preventDefault()
      return
    }
    if (event.key !== 'Enter' || !isPlain) return
    event.preventDefault()
    send()
  }

  return (
    <form
      className="composer"
      data-editing={editing !== null || undefined}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {editing && (
        <div className="editing">
          <p>
            <strong>Editing</strong> {editing.isOutdated ? 'what was edited elsewhere meanwhile: ' : ''}
            <span dir="auto">{oneLine(editing.message.text)}</span>
          </p>
          <button type="button" className="quiet round" title="Cancel the edit (Escape)" onClick={onCancelEdit}>
            <CrossIcon />
            <span className="unseen">Cancel the edit</span>
          </button>
        </div>
      )}
      <p className="left" id={`${id}-left`}>
        {left < 0 ? `${characters(-left)} too many` : left < warnBelow && `${characters(left)} left`}
      </p>
      <p className="wrong" role="alert">
        {refusal}
      </p>
      <label className="unseen" htmlFor={id}>
        {editing ? editLabel : label}
      </label>
      <textarea
        ref={input}
        id={id}
        rows={1}
        dir="auto"
        value={text}
        placeholder={editing ? editLabel : label}
        enterKeyHint={editing ? 'done' : 'send'}
        autoComplete="off"
        aria-describedby={`${id}-left`}
        aria-invalid={left < 0}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        className="primary round"
        title={editing ? 'Save' : 'Send'}
        disabled={left < 0 || text.trim() === ''}
      >
        {editing ? <CheckIcon /> : <SendIcon />}
        <span className="unseen">{editing ? 'Save' : 'Send'}</span>
      </button>
    </form>
  )
}

const editLabel = 'Edit your message'

/** The text as it is being edited: it begins with what the message says. */
const useEditedText = (editing: Editing | null) => {
  const key = editing?.message.key ?? null
  const [state, setState] = useState({ key, text: editing?.text ?? '' })
  if (state.key !== key) setState({ key, text: editing?.text ?? '' })
  return [state.text, (text: string) => setState({ key, text })] as const
}

/** Behind the last word; and here again when the editing ends. */
const useFocusWhenEditing = (input: { current: HTMLTextAreaElement | null }, key: string | null) => {
  const before = useRef(key)
  useEffect(() => {
    if (before.current === key) return
    before.current = key
    input.current?.focus()
    if (key !== null) input.current?.setSelectionRange(input.current.value.length, input.current.value.length)
  }, [input, key])
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
