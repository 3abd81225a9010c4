/**
 * What a node says in one turn of the event loop, as one text: a first line that names it and numbers what it says, then
 * a line for each thing said. JSON holds no raw tabs or line ends, so that a node can pass over a line without reading it.
 */
export interface Batch {
  node: string
  /** 1, 2, 3 ... since the node started. */
  number: number
  lines: Line[]
}
export interface Line {
  topic: string
  /** What tells whether the body matters here. */
  head: string
  body: string
}

/** Nodes of another form of batches are not understood, and count as not heard. */
const form = 'parley2'

export const writeLine = (topic: string, head: string, body: string): string => `${topic}\t${head}\t${body}`

export const writeBatch = (node: string, number: number, lines: string[]): string =>
  [`${form}\t${node}\t${number}`, ...lines].join('\n')

/** @returns null for what is not of this form */
export const readBatch = (text: string): Pick<Batch, 'node' | 'number'> | null => {
  const end = text.indexOf('\n')
  const [name, node, number] = (end === -1 ? text : text.slice(0, end)).split('\t')
  if (name !== form || node === undefined || !Number.isSafeInteger(Number(number))) return null
  return { node, number: Number(number) }
}

export function* readLines(text: string): Generator<Line> {
  for (let at = text.indexOf('\n') + 1; at > 0; ) {
    const end = text.indexOf('\n', at)
    const line = end === -1 ? text.slice(at) : text.slice(at, end)
    const [first, second] = [line.indexOf('\t'), line.indexOf('\t', line.indexOf('\t') + 1)]
    yield { topic: line.slice(0, first), head: line.slice(first + 1, second), body: line.slice(second + 1) }
    at = end + 1
  }
}
