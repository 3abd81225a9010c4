/** One event of a stream of server-sent events. */
export interface StreamEvent {
  /** `message` where the server names none. */
  type: string
  data: string
  /** Empty where the event has none. */
  id: string
}

/**
 * Reads server-sent events; `EventSource` could not send a token along. Resolves when the server ends the stream.
 * @param onBytes called for whatever comes in, before the events in it
 * @throws what reading throws when the stream is cut or aborted
 */
export const readEvents = async (
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
  onEvent: (event: StreamEvent) => void,
): Promise<void> => {
  let text = ''
  await readText(body, (piece) => {
    onBytes()
    text += piece
    const end = text.lastIndexOf('\n\n')
    if (end < 0) return
    for (const block of text.slice(0, end).split('\n\n')) {
      const event = eventOf(block)
      if (event) onEvent(event)
    }
    text = text.slice(end + 2)
  })
}

/** Tells of each piece as it comes in. @throws what reading throws when it is cut or aborted */
export const readText = async (body: ReadableStream<Uint8Array>, onPiece: (text: string) => void): Promise<void> => {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    onPiece(decoder.decode(value, { stream: true }))
  }
}

const eventOf = (block: string): StreamEvent | null => {
  const event: StreamEvent = { type: 'message', data: '', id: '' }
  let isEmpty = true
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ')
    if (colon < 1) continue
    isEmpty = false
    const field = line.slice(0, colon)
    const value = line.slice(colon + 2)
    if (field === 'event') event.type = value
    else if (field === 'id') event.id = value
    else if (field === 'data') event.data = value
  }
  return isEmpty ? null : event
}
