import { useState } from 'react'
import type { Json } from '../json.ts'
import { type ControlProps, useForm } from './context.ts'
import { JsonText } from './json-text.tsx'
import { resolve, shapeOf } from './schema.ts'

/** From here on a text gets several lines. */
const longText = 200

/** The element that takes one plain value. */
export const Control = (props: ControlProps) => {
  const { root } = useForm()
  const shape = shapeOf({ schema: props.schema, root })
  switch (shape.kind) {
    case 'constant':
      return <output id={props.id}>{JSON.stringify(shape.value)}</output>
    case 'choice':
      return <Choice {...props} options={shape.options} />
    case 'boolean':
      return props.isRequired ? <Check {...props} /> : <Choice {...props} options={[true, false]} />
    case 'number':
      return <NumberInput {...props} />
    case 'date':
      return <DateInput {...props} />
    case 'text':
      return <TextInput {...props} />
    default:
      return <JsonText {...props} />
  }
}

const common = ({ id, describedBy, isInvalid, isRequired }: ControlProps) => ({
  id,
  'aria-describedby': describedBy,
  'aria-invalid': isInvalid || undefined,
  'aria-required': isRequired || undefined,
})

/** Nothing typed is nothing given, but where a text has to be. */
const TextInput = (props: ControlProps) => {
  const { root } = useForm()
  const { value, isRequired, onChange } = props
  const { format, maxLength, anyOf, 'x-type': type } = resolve({ schema: props.schema, root })
  const shared = {
    ...common(props),
    value: typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value),
    autoComplete: 'off',
    spellCheck: false,
    onChange: ({ target }: { target: { value: string } }) =>
      onChange(target.value === '' && !isRequired ? undefined : target.value),
  }
  if (format === 'password') return <input type="password" {...shared} />
  const isLong = format === undefined && type === undefined && !anyOf && (maxLength ?? 0) > longText
  return isLong ? <textarea rows={2} {...shared} /> : <input type="text" autoCapitalize="none" {...shared} />
}

/** What is no number goes out as it was typed: the server says what is wrong with it. */
const NumberInput = (props: ControlProps) => {
  const { value, onChange } = props
  const [typed, setTyped] = useState('')
  // `1.` is on its way to `1.5`: what is typed stays, as long as it means the same.
  const text = meaningOf(typed) === value ? typed : value === undefined ? '' : String(value)
  return (
    <input
      type="text"
      inputMode="decimal"
      autoComplete="off"
      {...common(props)}
      value={text}
      onChange={({ target }) => {
        setTyped(target.value)
        onChange(meaningOf(target.value))
      }}
    />
  )
}

const meaningOf = (text: string): Json | undefined => {
  if (text.trim() === '') return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}

/** Shown in the time of whoever looks, sent in UTC. */
const DateInput = (props: ControlProps) => {
  const { value, onChange } = props
  const date = typeof value === 'string' ? new Date(value) : null
  const isDate = date !== null && !Number.isNaN(date.getTime())
  return (
    <div className="with-button">
      <input
        type="datetime-local"
        step="1"
        {...common(props)}
        value={isDate ? localText(date) : ''}
        onChange={({ target }) => onChange(target.value === '' ? undefined : new Date(target.value).toISOString())}
      />
      <button type="button" className="quiet" onClick={() => onChange(new Date().toISOString())}>
        Now
      </button>
      {value !== undefined && <output className="facts">{String(value)}</output>}
    </div>
  )
}

/** As `datetime-local` has it: `2026-01-31T23:59:59`. */
const localText = (date: Date): string => {
  const two = (number: number) => String(number).padStart(2, '0')
  const day = [String(date.getFullYear()).padStart(4, '0'), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day}T${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

const Check = (props: ControlProps) => (
  <input
    type="checkbox"
    {...common(props)}
    checked={props.value === true}
    onChange={({ target }) => props.onChange(target.checked)}
  />
)

const Choice = ({ options, ...props }: ControlProps & { options: Json[] }) => {
  const chosen = options.indexOf(props.value as Json)
  return (
    <select
      {...common(props)}
      value={chosen === -1 ? '' : String(chosen)}
      onChange={({ target }) => props.onChange(target.value === '' ? undefined : options[Number(target.value)])}
    >
      {(!props.isRequired || chosen === -1) && <option value="">{props.isRequired ? 'Choose …' : 'not given'}</option>}
      {options.map((option, i) => (
        // Options have no other name than their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: they never move
        <option key={i} value={String(i)}>
          {typeof option === 'string' ? option : JSON.stringify(option)}
        </option>
      ))}
    </select>
  )
}
