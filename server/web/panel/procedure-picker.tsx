import { useId } from 'react'
import type { PanelDocument } from '../../panel/document.ts'
import type { Identity } from './identity.ts'

/** The name of the open procedure, to be changed for another. */
export const ProcedurePicker = ({
  document,
  identity,
  path,
}: {
  document: PanelDocument
  identity: Identity
  path: string | null
}) => {
  const id = useId()
  const isKnown = document.procedures.some((procedure) => procedure.path === path)
  return (
    <>
      <label htmlFor={id} className="unseen">
        Procedure
      </label>
      <select
        id={id}
        className="picker"
        value={isKnown ? (path ?? '') : ''}
        onChange={({ target }) => identity.open({ path: target.value })}
      >
        {!isKnown && <option value="">Choose …</option>}
        {document.procedures.map(({ path }) => (
          <option key={path}>{path}</option>
        ))}
      </select>
    </>
  )
}
