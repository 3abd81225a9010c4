import { createValue } from './value.ts'

/** Typing is saved once it pauses. */
const saveAfterMs = 300

/** What was written and not sent yet, by conversation, kept across reloads. */
export const createDrafts = (userId: string) => {
  const key = `parley.drafts.${userId}`
  const drafts = createValue<ReadonlyMap<string, string>>(read(key))
  let timer: ReturnType<typeof setTimeout> | undefined
  let isForgotten = false

  const save = () => {
    clearTimeout(timer)
    if (isForgotten) return
    const texts = [...drafts.getSnapshot()]
    try {
      if (texts.length > 0) localStorage.setItem(key, JSON.stringify(texts))
      else localStorage.removeItem(key)
    } catch {
      // The storage is full or refused: the drafts live as long as the page.
    }
  }
  addEventListener('pagehide', save)

  return {
    view: drafts,
    of: (conversationId: string): string => drafts.getSnapshot().get(conversationId) ?? '',
    set(conversationId: string, text: string) {
      const next = new Map(drafts.getSnapshot())
      if (text.trim() === '') next.delete(conversationId)
      else next.set(conversationId, text)
      drafts.set(next)
      clearTimeout(timer)
      timer = setTimeout(save, saveAfterMs)
    },
    close() {
      save()
      removeEventListener('pagehide', save)
    },
    forget() {
      isForgotten = true
      clearTimeout(timer)
      removeEventListener('pagehide', save)
      localStorage.removeItem(key)
    },
  }
}
export type Drafts = ReturnType<typeof createDrafts>

const read = (key: string): Map<string, string> => {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    if (!Array.isArray(saved)) return new Map()
    return new Map(saved.filter(isTextOfConversation))
  } catch {
    return new Map()
  }
}

const isTextOfConversation = (entry: unknown): entry is [string, string] =>
  Array.isArray(entry) && entry.length === 2 && entry.every((part) => typeof part === 'string')
