import superjson, { type SuperJSONResult } from 'superjson'
import type { PanelDocument } from '../../../panel/document.ts'

export interface Transformer {
  write(value: unknown): unknown
  read(sent: unknown): unknown
}

/** The two ways in which the values of a router travel. */
export const transformers: Record<PanelDocument['transformer'], Transformer> = {
  superjson: {
    write: (value) => superjson.serialize(value),
    // An answer of nothing at all has no body.
    read: (sent) => (sent === undefined ? undefined : superjson.deserialize(sent as SuperJSONResult)),
  },
  json: { write: (value) => value, read: (sent) => sent },
}
