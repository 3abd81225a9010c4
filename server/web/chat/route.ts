import { directMembers } from '@parley/client'
import { createValue } from './value.ts'

/**
 * Where the page is: `#/with/<address>` shows that conversation, anything else the list alone. An address is what a person
 * types: a user id, or the id of a group.
 */
const prefix = '#/with/'

export const hrefOf = (address: string | null): string =>
  address === null ? '#/' : `${prefix}${encodeURIComponent(address)}`

const readAddress = (): string | null => {
  if (!location.hash.startsWith(prefix)) return null
  try {
    return decodeURIComponent(location.hash.slice(prefix.length)).trim() || null
  } catch {
    return null
  }
}

const route = createValue<string | null>(readAddress())
const update = () => route.set(readAddress())
addEventListener('popstate', update)
addEventListener('hashchange', update)

/** The address of the conversation that is open. */
export const openAddress = route

export const goTo = (address: string | null): void => {
  if (address === route.getSnapshot()) return
  history.pushState({ fromList: route.getSnapshot() === null }, '', hrefOf(address))
  update()
}

/** To the list: a step back where that is one, so that the device's own back button does not lead here again. */
export const goToList = (): void => {
  if (route.getSnapshot() === null) return
  const { fromList = false } = (history.state as { fromList?: boolean } | null) ?? {}
  if (fromList) history.back()
  else forgetRoute()
}

/** Whoever comes next on this page begins at the list. */
export const forgetRoute = (): void => {
  history.replaceState(null, '', hrefOf(null))
  update()
}

/** How `userId` addresses a conversation: by the other one's name, or as a group. */
export const addressOf = (conversationId: string, userId: string): string => {
  const members = directMembers(conversationId)
  if (!members) return conversationId
  return members.includes(userId) ? (members.find((name) => name !== userId) ?? userId) : conversationId
}
