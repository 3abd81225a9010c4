import type { ConversationId, UserId } from '../contract/index.ts'
import { listenedTo } from '../domain/audiences.ts'
import type { Audience, Bus, Gap, PublishedChange } from '../domain/ports.ts'

interface Listener {
  onChange(change: PublishedChange): void
  onGap(gap: Gap): void
}

/** Who listens at this node, by what they listen to. */
export const createListeners = () => {
  const listeners = new Map<UserId | ConversationId, Set<Listener>>()
  const listenersToAll = new Set<Listener>()
  const sessionEnds = new Set<(tokenHash: string) => void>()

  const add = (key: string, listener: Listener) => {
    const here = listeners.get(key) ?? new Set()
    listeners.set(key, here.add(listener))
    return () => {
      if (here.delete(listener) && here.size === 0 && listeners.get(key) === here) listeners.delete(key)
    }
  }
  const listen: Bus['listen'] = (audiences, onChange, onGap) => {
    const listener = { onChange, onGap }
    const ends = audiences.flatMap(listenedTo).map((key) => add(key, listener))
    return () => {
      for (const end of ends) end()
    }
  }
  const listenToAll: Bus['listenToAll'] = (onChange, onGap) => {
    const listener = { onChange, onGap }
    listenersToAll.add(listener)
    return () => listenersToAll.delete(listener)
  }
  const onSessionEnd: Bus['onSessionEnd'] = (onEnd) => {
    sessionEnds.add(onEnd)
    return () => sessionEnds.delete(onEnd)
  }

  return {
    listen,
    listenToAll,
    onSessionEnd,
    /** Whether anybody here is in this audience. */
    isAnybodyIn: (audience: Audience): boolean =>
      listenersToAll.size > 0 || listenedTo(audience).some((key) => listeners.has(key)),
    tell(audience: Audience, change: PublishedChange): void {
      for (const { onChange } of listenersToAll) onChange(change)
      for (const key of listenedTo(audience)) {
        for (const { onChange } of listeners.get(key) ?? []) onChange(change)
      }
    },
    tellGap(gap: Gap): void {
      const all = new Set([...listenersToAll, ...Array.from(listeners.values(), (here) => [...here]).flat()])
      for (const { onGap } of all) onGap(gap)
    },
    tellSessionEnd(tokenHash: string): void {
      for (const onEnd of sessionEnds) onEnd(tokenHash)
    },
  }
}
