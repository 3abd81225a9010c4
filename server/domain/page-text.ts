import { limits } from '../contract/index.ts'

/**
 * As many of these as one page may carry, without a hole and with the one at `anchor` among them: it grows from there to
 * both sides, until the next text, as JSON, would be too much.
 */
export const withinPage = <Item>(items: Item[], anchor: number, textOf: (item: Item) => string): Item[] => {
  let [from, to] = [anchor, anchor]
  let size = 0
  while (from > 0 || to < items.length) {
    const goesBack = to === items.length || (from > 0 && anchor - from < to - anchor - 1)
    const next = items[goesBack ? from - 1 : to] as Item
    size += bytesAsJson(textOf(next))
    if (size > limits.pageTextMaxBytes && to > from) break
    if (goesBack) from--
    else to++
  }
  return items.slice(from, to)
}

/** A control character is one byte of a text, and six of it as JSON. */
export const bytesAsJson = (text: string): number => Buffer.byteLength(JSON.stringify(text))
