import type { BusEvent } from '../../domain/ports.ts'

const known: ReadonlySet<string> = new Set<BusEvent['type']>(['message', 'receipt', 'sessionEnded'])

export const writeEvent = (event: BusEvent): string => JSON.stringify(event)

/** @returns null for an event that a newer Parley knows and this one does not: whoever follows here has no use for it */
export const readEvent = (text: string): BusEvent | null => {
  const event = JSON.parse(text) as BusEvent
  if (!known.has(event.type)) return null
  return revived(event)
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
