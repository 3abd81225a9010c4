/** Runs one for each item, at most so many at once. @returns the results, in the order of the items */
export const sideBySide = async <Item, Result>(
  items: Item[],
  max: number,
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> => {
  const results = new Array<Result>(items.length)
  const waiting = items.entries()
  const work = async () => {
    for (const [i, item] of waiting) results[i] = await run(item)
  }
  await Promise.all(Array.from({ length: Math.min(max, items.length) }, work))
  return results
}
