export interface Place {
  /** Such as `url` or `input.text`. */
  name: string
}

/** Text that stands as it is, a place that a value fills, or a part that is left out where a place in it has no value. */
export type TemplatePart = string | Place | { optional: (string | Place)[] }

/** The parts of a template as `SnippetTemplates` has them. Values are filled into parts, so no value is read as a template. */
export const parseTemplate = (template: string): TemplatePart[] =>
  splitAt(template, /(\{\{\?.*?\?\}\}|\{\{[\w.]+\}\})/s, (found) =>
    found.startsWith('{{?') ? { optional: parsePlaces(found.slice(3, -3)) } : placeOf(found),
  )

const parsePlaces = (template: string): (string | Place)[] => splitAt(template, /(\{\{[\w.]+\}\})/, placeOf)

const placeOf = (found: string): Place => ({ name: found.slice(2, -2) })

/** The text between what a pattern finds, and what is made of each find. The pattern is one group. */
const splitAt = <Part>(text: string, pattern: RegExp, partOf: (found: string) => Part): (string | Part)[] =>
  text.split(pattern).map((part, i) => (i % 2 === 0 ? part : partOf(part)))

export const isPlace = (part: TemplatePart): part is Place => typeof part !== 'string' && 'name' in part

/** What all places of a template are called, those in its optional parts among them. */
export const placeNames = (parts: TemplatePart[]): string[] =>
  parts.flatMap((part) => {
    if (typeof part === 'string') return []
    return isPlace(part) ? [part.name] : placeNames(part.optional)
  })

/**
 * One text of all parts.
 * @param textOf what stands in the place of a name; null: it has no value
 * @param missing what stands there without a value, outside of optional parts
 */
export const fillParts = (parts: TemplatePart[], textOf: (name: string) => string | null, missing: string): string =>
  parts
    .map((part) => {
      if (typeof part === 'string') return part
      if (isPlace(part)) return textOf(part.name) ?? missing
      const texts = part.optional.map((inner) => (isPlace(inner) ? textOf(inner.name) : inner))
      return texts.includes(null) ? '' : texts.join('')
    })
    .join('')
