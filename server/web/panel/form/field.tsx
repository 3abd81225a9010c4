import type { ReactNode } from 'react'
import { type Json, own, pathText } from '../json.ts'
import { Composite } from './composite.tsx'
import { type FieldProps, useForm } from './context.ts'
import { Control } from './controls.tsx'
import { initialOf, resolve, type Shape, shapeOf } from './schema.ts'
import { defaultWords, limitWords, typeWords } from './words.ts'

const composites: Shape['kind'][] = ['object', 'list', 'tuple', 'record', 'union']

/** One value of the input with its name, its type, its limits, what it is for, and what is wrong with it. */
export const Field = (props: FieldProps) => {
  const { name, path, value, isRequired, onChange } = props
  const { root, issues, prefix } = useForm()
  const placed = { schema: props.schema, root }
  const schema = resolve(placed)
  const shape = shapeOf(placed)
  const place = pathText(path)
  const id = `${prefix}-${place}`
  const issue = own(issues, place)

  if (shape.kind === 'nullable') return <Nullable {...props} inner={shape.inner} />

  const facts = (
    <Facts
      type={typeWords(placed)}
      details={[...limitWords(placed), defaultWords(schema)]}
      isOptional={!isRequired}
      isDeprecated={schema.deprecated === true}
    />
  )
  const about = schema.description !== undefined && (
    <p className="about" id={`${id}-about`}>
      {schema.description}
    </p>
  )
  const problem = issue !== undefined && (
    <p className="problem" id={`${id}-problem`}>
      {issue}
    </p>
  )

  if (!composites.includes(shape.kind)) {
    const describedBy = [`${id}-facts`, about && `${id}-about`, problem && `${id}-problem`].filter(Boolean).join(' ')
    return (
      <div className="field">
        <div className="field-head">
          <label htmlFor={id}>{name}</label>
          <span id={`${id}-facts`}>{facts}</span>
        </div>
        {about}
        <Control {...props} id={id} describedBy={describedBy} isInvalid={issue !== undefined} />
        {problem}
      </div>
    )
  }

  const isLeftOut = value === undefined && !isRequired
  return (
    <fieldset className="field composite">
      <legend>{name}</legend>
      <div className="field-head">
        {facts}
        {!isRequired && (
          <button
            type="button"
            className="quiet small"
            onClick={() => onChange(isLeftOut ? initialOf(placed) : undefined)}
          >
            {isLeftOut ? 'Add' : 'Leave out'}
            <span className="unseen"> {name}</span>
          </button>
        )}
      </div>
      {about}
      {!isLeftOut && <Composite {...props} shape={shape} />}
      {problem}
    </fieldset>
  )
}

const Facts = ({
  type,
  details,
  isOptional,
  isDeprecated,
}: {
  type: string
  details: (string | null)[]
  isOptional: boolean
  isDeprecated: boolean
}): ReactNode => {
  const words = [isOptional && 'optional', isDeprecated && 'deprecated', type, ...details]
  return <span className="facts">{words.filter(Boolean).join(' · ')}</span>
}

const Nullable = ({ inner, ...props }: FieldProps & { inner: FieldProps['schema'] }) => {
  const { root, prefix } = useForm()
  const id = `${prefix}-${pathText(props.path)}-null`
  const isNull = props.value === null
  const without = (): Json | undefined => initialOf({ schema: inner, root })
  return (
    <div className="nullable">
      {isNull ? <Field {...props} schema={{ ...inner, const: null }} /> : <Field {...props} schema={inner} />}
      <label className="check" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          checked={isNull}
          onChange={({ target }) => props.onChange(target.checked ? null : without())}
        />
        {props.name} is null
      </label>
    </div>
  )
}
