import type { Chat, Status } from '@parley/client'
import { usePresence } from '@parley/client/react'
import { useEffect, useRef } from 'react'

/** So many the server follows at once. */
const followedMax = 500

/**
 * Who of these is online. While a changed choice of people is being asked for, what was known of the others stays.
 * @param names with the most important ones first
 */
export const useWhoIsOnline = (chat: Chat, names: readonly string[]): ReadonlyMap<string, Status> => {
  // At least somebody: nobody would mean all.
  const followed = [chat.userId, ...names].slice(0, followedMax)
  const statuses = usePresence([...new Set(followed)])
  const known = useRef(statuses)
  useEffect(() => {
    if (statuses.size > 0) known.current = statuses
  })
  return statuses.size > 0 ? statuses : known.current
}
