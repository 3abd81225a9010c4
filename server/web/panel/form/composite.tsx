import { useEffect, useRef, useState } from 'react'
import type { JsonSchema } from '../../../panel/document.ts'
import { isObject, type Json, type JsonObject, own, pathText } from '../json.ts'
import { type FieldProps, useForm } from './context.ts'
import { Field } from './field.tsx'
import { fits, initialOf, resolve, type Shape } from './schema.ts'
import { variantWords } from './words.ts'

/** The fields within a field. */
export const Composite = ({ shape, ...props }: FieldProps & { shape: Shape }) => {
  switch (shape.kind) {
    case 'object':
      return <ObjectFields {...props} properties={shape.properties} required={shape.required} />
    case 'list':
      return <ListFields {...props} items={shape.items} />
    case 'tuple':
      return <TupleFields {...props} items={shape.items} />
    case 'record':
      return <RecordFields {...props} values={shape.values} />
    case 'union':
      return <UnionFields {...props} variants={shape.variants} />
    default:
      return null
  }
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? (value as JsonObject) : {})
const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])

export const ObjectFields = ({
  properties,
  required,
  path,
  value,
  onChange,
}: Pick<FieldProps, 'path' | 'value' | 'onChange'> & {
  properties: Record<string, JsonSchema>
  required: string[]
}) => {
  const given = objectOf(value)
  const change = (name: string, next: Json | undefined) => {
    const { [name]: _, ...others } = given
    // A name that is there keeps its place: what is read as JSON must not jump.
    onChange(next === undefined ? others : { ...given, [name]: next })
  }
  return Object.entries(properties).map(([name, schema]) => (
    <Field
      key={name}
      name={name}
      schema={schema}
      path={[...path, name]}
      value={own(given, name)}
      isRequired={required.includes(name)}
      onChange={(next) => change(name, next)}
    />
  ))
}

const ListFields = ({ name, schema, items, path, value, onChange }: FieldProps & { items: JsonSchema }) => {
  const { root } = useForm()
  const list = listOf(value)
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = resolve({ schema, root })
  const [added, setAdded] = useState(0)
  const end = useRef<HTMLUListElement>(null)
  // Whoever added an item goes on in it.
  useEffect(() => {
    if (added > 0) end.current?.lastElementChild?.querySelector<HTMLElement>('input, select, textarea')?.focus()
  }, [added])
  return (
    <>
      <ul className="items" ref={end}>
        {list.map((item, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an item has no other name than its place
          <li key={i}>
            <Field
              name={`${name} ${i + 1}`}
              schema={items}
              path={[...path, i]}
              value={item ?? undefined}
              isRequired
              onChange={(next) => onChange(list.with(i, next ?? null))}
            />
            <button
              type="button"
              className="quiet small"
              disabled={list.length <= minItems}
              onClick={() => onChange(list.toSpliced(i, 1))}
            >
              Remove<span className="unseen"> {`${name} ${i + 1}`}</span>
            </button>
          </li>
        ))}
      </ul>
      <button
        type="button"
        className="quiet small"
        disabled={list.length >= maxItems}
        onClick={() => {
          onChange([...list, initialOf({ schema: items, root }) ?? null])
          setAdded(added + 1)
        }}
      >
        Add an item<span className="unseen"> to {name}</span>
      </button>
    </>
  )
}

const TupleFields = ({ name, items, path, value, onChange }: FieldProps & { items: JsonSchema[] }) => {
  const list = listOf(value)
  return items.map((schema, i) => (
    <Field
      // biome-ignore lint/suspicious/noArrayIndexKey: a place in a tuple is its name
      key={i}
      name={`${name} ${i + 1}`}
      schema={schema}
      path={[...path, i]}
      value={list[i] ?? undefined}
      isRequired
      onChange={(next) => onChange(items.map((_, j) => (j === i ? (next ?? null) : (list[j] ?? null))))}
    />
  ))
}

const RecordFields = ({ name, values, path, value, onChange }: FieldProps & { values: JsonSchema }) => {
  const { root, prefix } = useForm()
  const entries = Object.entries(objectOf(value))
  const change = (next: [string, Json][]) => onChange(Object.fromEntries(next))
  const freeName = () => {
    let n = entries.length + 1
    while (entries.some(([key]) => key === `name${n}`)) n++
    return `name${n}`
  }
  return (
    <>
      <ul className="items">
        {entries.map(([key, at], i) => {
          const id = `${prefix}-${pathText(path)}-name-${i}`
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: its name changes while it is typed
            <li key={i}>
              <div className="field">
                <label htmlFor={id}>Name {i + 1}</label>
                <input
                  id={id}
                  type="text"
                  value={key}
                  autoComplete="off"
                  spellCheck={false}
                  onChange={({ target }) => {
                    const isTaken = entries.some(([other], j) => j !== i && other === target.value)
                    if (!isTaken) change(entries.with(i, [target.value, at]))
                  }}
                />
              </div>
              <Field
                name={`Value ${i + 1}`}
                schema={values}
                path={[...path, key]}
                value={at ?? undefined}
                isRequired
                onChange={(next) => change(entries.with(i, [key, next ?? null]))}
              />
              <button type="button" className="quiet small" onClick={() => change(entries.toSpliced(i, 1))}>
                Remove<span className="unseen"> {key}</span>
              </button>
            </li>
          )
        })}
      </ul>
      <button
        type="button"
        className="quiet small"
        onClick={() => change([...entries, [freeName(), initialOf({ schema: values, root }) ?? null]])}
      >
        Add a name<span className="unseen"> to {name}</span>
      </button>
    </>
  )
}

const UnionFields = ({ variants, ...props }: FieldProps & { variants: JsonSchema[] }) => {
  const { root, prefix } = useForm()
  const { name, path, value, onChange } = props
  const placed = variants.map((schema) => ({ schema, root }))
  const [chosen, setChosen] = useState(0)
  // What was chosen holds while its value is not whole yet; a value from elsewhere says itself which it is.
  const found = placed.findIndex((variant) => fits(variant, value))
  const isChosen = found === -1 || fits(placed[chosen] ?? { schema: {}, root }, value)
  const current = isChosen ? chosen : found
  const id = `${prefix}-${pathText(path)}-variant`
  return (
    <>
      <div className="field">
        <label htmlFor={id}>
          Kind<span className="unseen"> of {name}</span>
        </label>
        <select
          id={id}
          value={String(current)}
          onChange={({ target }) => {
            const next = Number(target.value)
            setChosen(next)
            onChange(initialOf(placed[next] ?? { schema: {}, root }))
          }}
        >
          {placed.map((variant, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a variant has no other name than its place
            <option key={i} value={String(i)}>
              {variantWords(variant)}
            </option>
          ))}
        </select>
      </div>
      <Field {...props} key={current} schema={variants[current] ?? {}} isRequired />
    </>
  )
}
