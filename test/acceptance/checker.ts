/** What somebody sent, and what she was told of it. Times are milliseconds of one clock. */
export interface Sent {
  conversationId: string
  sender: string
  text: string
  at: number
  acknowledged: { at: number; id: string; seq: number } | null
}

/** A message as one device of hers was given it, or as the server has it. */
export interface Seen {
  conversationId: string
  id: string
  seq: number
  sender: string
  text: string
}
export type Shown = Seen & { at: number }

/** Somebody came or went, and within `boundMs` everybody has to know, until it changes again. */
export interface Presence {
  user: string
  online: boolean
  at: number
  boundMs: number
}

/** All that was done and seen. */
export interface History {
  sent: Sent[]
  /** By observer, in the order in which it was shown. */
  shown: Map<string, Shown[]>
  /** By observer, the conversations that she is in. */
  conversationsOf: Map<string, string[]>
  /** What the server has in the end, by conversation, in its order. */
  stored: Map<string, Seen[]>
  /** Who was there, and what each watcher was told, in the order of time. */
  presence: Presence[]
  sightings: { watcher: string; user: string; online: boolean; at: number }[]
  endedAt: number
}

/** @returns in words everything that breaks a promise; nothing, where all were kept */
export const check = (history: History): string[] => [
  ...acknowledgedIsStored(history),
  ...storedIsSent(history),
  ...orderIsThatOfTime(history),
  ...shownIsStored(history),
  ...presenceIsTrue(history),
]

const acknowledgedIsStored = ({ sent, stored }: History): string[] =>
  sent.flatMap(({ conversationId, sender, text, acknowledged }) => {
    if (!acknowledged) return []
    const { id, seq } = acknowledged
    const found = stored.get(conversationId)?.find((message) => message.id === id)
    if (!found) return [`P1: «${text}» was acknowledged as ${id}, and is lost`]
    const isIt = found.seq === seq && found.sender === sender && found.text === text
    return isIt ? [] : [`P1: «${text}» was acknowledged as ${id}, where now ${inWords(found)} stands`]
  })

const storedIsSent = ({ sent, stored }: History): string[] => {
  const findings: string[] = []
  const places = new Map(sent.map(({ conversationId, sender, text }) => [keyOf(conversationId, sender, text), 0]))
  for (const [conversationId, messages] of stored) {
    for (const [i, { seq, sender, text }] of messages.entries()) {
      if (seq !== i + 1) findings.push(`P3: ${conversationId} has number ${seq} at place ${i + 1}`)
      const key = keyOf(conversationId, sender, text)
      const before = places.get(key)
      if (before === undefined) findings.push(`P4: ${conversationId} has «${text}», which ${sender} never sent`)
      else if (before > 0) findings.push(`P4: ${conversationId} has «${text}» twice, as ${before} and ${seq}`)
      places.set(key, seq)
    }
  }
  return findings
}

/** A message sent after another was acknowledged comes after it. */
const orderIsThatOfTime = ({ sent, stored }: History): string[] => {
  const findings: string[] = []
  const sends = new Map(sent.map((send) => [keyOf(send.conversationId, send.sender, send.text), send]))
  for (const [conversationId, messages] of stored) {
    let earliest: { at: number; text: string } | null = null
    for (const { sender, text } of messages.toReversed()) {
      const send = sends.get(keyOf(conversationId, sender, text))
      if (!send) continue
      if (earliest && send.at > earliest.at)
        findings.push(`P3: «${text}» stands before «${earliest.text}», which was acknowledged before it was sent`)
      const { acknowledged } = send
      if (acknowledged && acknowledged.at < (earliest?.at ?? Number.POSITIVE_INFINITY))
        earliest = { at: acknowledged.at, text }
    }
  }
  return findings
}

const shownIsStored = ({ shown, stored, conversationsOf }: History): string[] => {
  const findings: string[] = []
  for (const [observer, conversationIds] of conversationsOf) {
    const all = shown.get(observer) ?? []
    for (const conversationId of new Set(all.map((message) => message.conversationId)))
      if (!conversationIds.includes(conversationId)) findings.push(`P9: ${observer} was shown ${conversationId}`)
    for (const conversationId of conversationIds) {
      const messages = stored.get(conversationId) ?? []
      const line = all.filter((message) => message.conversationId === conversationId)
      const ids = new Set<string>()
      let last = 0
      for (const message of line) {
        const { id, seq } = message
        const truth = messages[seq - 1]
        if (ids.has(id)) findings.push(`P2: ${observer} was shown ${inWords(message)} again`)
        else if (seq < last) findings.push(`P3: ${observer} was shown ${inWords(message)} after number ${last}`)
        if (!truth || truth.id !== id || truth.text !== message.text || truth.sender !== message.sender)
          findings.push(`P3: ${observer} was shown ${inWords(message)}, where the server has ${inWords(truth)}`)
        ids.add(id)
        last = Math.max(last, seq)
      }
      for (const message of messages)
        if (!ids.has(message.id)) findings.push(`P5: ${observer} was never shown ${inWords(message)}`)
    }
  }
  return findings
}

const presenceIsTrue = ({ presence, sightings, endedAt }: History): string[] => {
  const findings: string[] = []
  const watchers = new Set(sightings.map(({ watcher }) => watcher))
  for (const { user, online, at, boundMs } of presence) {
    const next = presence.find((later) => later.user === user && later.at > at)
    const until = next?.at ?? endedAt
    if (until < at + boundMs) continue
    for (const watcher of watchers) {
      const seen = sightings.filter((sighting) => sighting.watcher === watcher && sighting.user === user)
      const known = seen.findLast((sighting) => sighting.at <= at + boundMs)?.online ?? false
      const wrong = seen.find(
        (sighting) => sighting.at > at + boundMs && sighting.at < until && sighting.online !== online,
      )
      const state = (isOnline: boolean) => (isOnline ? 'online' : 'offline')
      if (known !== online)
        findings.push(`P7: ${watcher} saw ${user} ${state(known)} ${boundMs} ms after it was ${state(online)}`)
      else if (wrong) findings.push(`P7: ${watcher} saw ${user} ${state(!online)} while it was ${state(online)}`)
    }
  }
  return findings
}

const keyOf = (...parts: string[]): string => parts.join(' ')
const inWords = (message: Seen | undefined): string => (message ? `${message.id} «${message.text}»` : 'nothing')
