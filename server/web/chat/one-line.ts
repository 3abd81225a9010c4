/** As much of a text as fits in any row. */
export const oneLine = (text: string): string => text.slice(0, 200).replace(/\s+/g, ' ')
