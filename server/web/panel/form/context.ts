import { createContext, useContext } from 'react'
import type { JsonSchema } from '../../../panel/document.ts'
import type { Issues } from '../issues.ts'
import type { Json, Path } from '../json.ts'

/** What all fields of one form share. */
export interface FormFacts {
  /** The schema of the whole input: references are followed from here. */
  root: JsonSchema
  /** What the server said of the last call. */
  issues: Issues
  /** Before the ids of all elements, as several forms are on one page. */
  prefix: string
}

export const FormContext = createContext<FormFacts>({ root: {}, issues: {}, prefix: '' })
export const useForm = (): FormFacts => useContext(FormContext)

export interface FieldProps {
  name: string
  schema: JsonSchema
  path: Path
  value: Json | undefined
  isRequired: boolean
  /** Undefined: not given. */
  onChange(value: Json | undefined): void
}

/** What the element that takes the value needs. */
export interface ControlProps extends Omit<FieldProps, 'name' | 'path'> {
  id: string
  describedBy: string | undefined
  isInvalid: boolean
}
