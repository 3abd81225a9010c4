import type { Patience } from './patience.ts'

/** What is used of a WebSocket, so that the browser's and the `ws` package's both fit. */
export interface SocketLike {
  /** 1: open. Where it is missing, the socket is always open. */
  readonly readyState?: number
  /** Bytes that came in, of frames that are not whole yet as well, where the platform tells. */
  bytesRead?(): number
  send(text: string): void
  close(code?: number, reason?: string): void
  terminate?(): void
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
}
/** @throws where the platform refuses: it has no WebSocket, or none to that address from this page */
export type MakeSocket = (url: string) => SocketLike

export interface SocketHandlers {
  onOpen(): void
  /** Once, with the first sign of life. */
  onHeard?(): void
  onText(text: string): void
  /** Once, unless this client ended it. `code` 1006: without a word from the server. */
  onClose(code: number, reason: string): void
  /** Once, whoever ended it, before `onClose`. */
  onOver?(): void
}

/** A server that does not answer at all. */
const connectMs = 8_000
/** Silence after which the server is asked for a sign of life: where somebody waits, ... */
const quietMs = 2_000
/** ... and where nobody does, ... */
const quietAtRestMs = 10_000
/** ... and how long that sign may take, unless something is coming in. */
const answerMs = 3_000
/** What came while this program stood still is read first. */
const readMs = 50
/** From the close frame to cutting a peer that does not answer it. `ws` alone would keep the process for 30 s. */
const closeMs = 1_000

/**
 * One WebSocket with an end to all waiting: a dead network is noticed within 5 s, within 13 s at rest when nothing was
 * sent, later where it was found to be slow; and closing never waits for the peer. Bytes that come in are signs of
 * life. Where only whole frames show, and of what is sent nothing shows, a long one on its way looks like a dead network: after
 * such a loss the patience grows.
 * @param isAtRest nobody waits for what comes in, or a question costs too much to be asked often
 */
export const openSocket = (
  socket: SocketLike,
  handlers: SocketHandlers,
  patience: Patience,
  isAtRest: () => boolean,
) => {
  let ended = false
  let isOpen = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let isHeard = false
  /** How often the server was asked for a sign of life since the last one. */
  let asked = 0
  let isOverdue = false
  let hurried = false
  let read = 0
  /** How many were said and answered: the answers come in the same order. */
  let pings = 0
  let pongs = 0
  const whenPonged: { ping: number; then(): void }[] = []

  const release = () => {
    ended = true
    clearTimeout(timer)
    socket.onopen = socket.onmessage = socket.onclose = null
    // An error after the end has nobody to tell, but `ws` throws it where nobody listens.
    socket.onerror = () => {}
    handlers.onOver?.()
  }
  /** The other end may be closing it, of which nobody has told yet; a browser complains of what is said then. */
  const say = (text: string) => {
    if ((socket.readyState ?? 1) === 1) socket.send(text)
  }
  const ping = () => {
    pings++
    say('PING')
  }
  /** Since the last look. */
  const hasRead = () => {
    const before = read
    read = socket.bytesRead?.() ?? 0
    return read > before
  }
  const drop = () => {
    if (ended) return
    release()
    if (socket.terminate) socket.terminate()
    else socket.close()
  }
  const fail = (code: number, reason: string) => {
    if (ended) return
    drop()
    handlers.onClose(code, reason)
  }
  const expect = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(onQuiet, ms)
  }
  const ask = () => {
    hasRead()
    asked++
    isOverdue = false
    expect(answerMs)
    // Also when it was asked already: the server cuts those who say nothing for long.
    ping()
  }
  const onQuiet = () => {
    if (hasRead()) asked = 0
    if (isOpen && asked < patience.asksMax()) return ask()
    if (isOpen && !isOverdue) {
      isOverdue = true
      return expect(readMs)
    }
    if (isHeard) patience.tooShort()
    fail(1006, 'The server does not answer')
  }
  const expectQuiet = () => expect(isAtRest() ? quietAtRestMs : quietMs)

  expect(connectMs)
  socket.onopen = () => {
    isOpen = true
    expectQuiet()
    handlers.onOpen()
  }
  socket.onmessage = (event: { data: unknown }) => {
    if (asked > 0) patience.answered(asked)
    asked = 0
    isOverdue = hurried = false
    expectQuiet()
    if (!isHeard) handlers.onHeard?.()
    isHeard = true
    const text = String(event.data)
    if (text === 'PING') say('PONG')
    else if (text === 'PONG') onPong()
    else handlers.onText(text)
  }
  const onPong = () => {
    pongs++
    while (whenPonged[0] && whenPonged[0].ping <= pongs) whenPonged.shift()?.then()
  }
  socket.onclose = (event: { code: number; reason: string }) => fail(event.code, event.reason)
  socket.onerror = (event: { message?: string }) => fail(1006, event.message || 'The server cannot be reached')

  const hurry = () => {
    if (asked > 0 || hurried || !isAtRest()) return
    hurried = true
    expect(quietMs)
  }

  return {
    send(text: string) {
      say(text)
      hurry()
    },
    /** Calls back when the server has read all that was sent until now, and what it had said by then has come. */
    whenRead(then: () => void) {
      ping()
      whenPonged.push({ ping: pings, then })
      hurry()
    },
    /** The network may have gone since the last sign of life: asks for another one at once, or hurries the opening. */
    probe() {
      if (ended || asked > 0) return
      if (isOpen) ask()
      else expect(answerMs)
    },
    /** Takes it for lost. */
    giveUp: (reason: string) => fail(1006, reason),
    /** After what was sent has left. Cutting at once could take that with it. */
    close() {
      if (ended) return
      release()
      socket.close(1000)
      // A browser's WebSocket cannot be cut.
      if (socket.terminate) unref(setTimeout(() => socket.terminate?.(), closeMs))
    },
    /** Without a word. */
    drop,
  }
}

/** In Node a timer keeps the process alive; elsewhere it is a number. */
const unref = (timer: unknown) => (timer as { unref?(): void }).unref?.()

export type OpenSocket = ReturnType<typeof openSocket>
