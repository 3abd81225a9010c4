// Where the skip links, Escape and the back button lead: each place is there once, and tells by its class.

const focus = (selector: string): boolean => {
  const element = document.querySelector<HTMLElement>(selector)
  element?.focus()
  return element !== null
}

export const focusConversations = (): boolean => focus('.rows a[tabindex="0"]') || focus('.side .new')
export const focusMessages = (): boolean => focus('.log')
export const focusComposer = (): boolean => focus('.composer textarea')
export const focusHeading = (): boolean => focus('.talk h2')

/** Where typing opens no keyboard on the screen. */
export const hasKeyboard = (): boolean => matchMedia('(hover: hover) and (pointer: fine)').matches
