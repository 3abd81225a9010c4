import type { PublishedChange } from '../../domain/ports.ts'

const known: Record<PublishedChange['kind'], true> = { message: true, messageChanged: true, receipt: true, user: true }

export const writeChange = (change: PublishedChange): string => JSON.stringify(change)

/** @returns null for a kind that a newer Parley knows and this one does not: whoever follows here has no use for it */
export const readChange = (text: string): PublishedChange | null => {
  const change = JSON.parse(text) as PublishedChange
  return Object.hasOwn(known, change.kind) ? revived(change) : null
}

/** Everything that is a date in the contract is named so. */
const isDate = (name: string) => name.endsWith('At')

/** Makes the dates dates again, in place: they stand in objects and lists of objects. */
const revived = <T>(value: T): T => {
  if (value === null || typeof value !== 'object') return value
  const fields = value as Record<string, unknown>
  for (const name in fields) {
    const field = fields[name]
    if (typeof field === 'object') revived(field)
    else if (typeof field === 'string' && isDate(name)) fields[name] = new Date(field)
  }
  return value
}
