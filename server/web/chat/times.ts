import { useSyncExternalStore } from 'react'

// In the manner of the reader's own place: «14:05» or «2:05 PM», «3.5.» or «5/3».
const clockTime = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' })
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const shortDateOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
const longDate = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const longDateOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })

const dayMs = 24 * 60 * 60 * 1_000

/** When the day of this moment began here, in milliseconds since 1970: the same for all moments of one day. */
export const dayOf = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()

/** Whole days from then to now. Rounded, since a day may have 23 hours or 25. */
const daysAgo = (day: number, today: number): number => Math.round((today - day) / dayMs)

export const timeWords = (date: Date): string => clockTime.format(date)
export const exactWords = (date: Date): string => exact.format(date)

/** Short, for a list. @param today as `dayOf` gives it */
export const shortWords = (date: Date, today: number): string => {
  const ago = daysAgo(dayOf(date), today)
  if (ago <= 0) return clockTime.format(date)
  if (ago < 7) return weekday.format(date)
  return (isThisYear(date, today) ? shortDate : shortDateOfYear).format(date)
}

/** A moment of any day. @param today as `dayOf` gives it */
export const momentWords = (date: Date, today: number): string =>
  dayOf(date) === today ? clockTime.format(date) : `${shortWords(date, today)}, ${clockTime.format(date)}`

/** Between the messages of two days. */
export const dayWords = (day: number, today: number): string => {
  const ago = daysAgo(day, today)
  if (ago === 0) return 'Today'
  if (ago === 1) return 'Yesterday'
  const date = new Date(day)
  return (isThisYear(date, today) ? longDate : longDateOfYear).format(date)
}

export const lastSeenWords = (date: Date, today: number): string => {
  const ago = daysAgo(dayOf(date), today)
  if (ago <= 0) return `last seen at ${clockTime.format(date)}`
  if (ago === 1) return `last seen yesterday at ${clockTime.format(date)}`
  return `last seen ${(isThisYear(date, today) ? shortDate : shortDateOfYear).format(date)}`
}

const isThisYear = (date: Date, today: number): boolean => date.getFullYear() === new Date(today).getFullYear()

const getToday = () => dayOf(new Date())

/** Calls back when the day changes, also when the device slept through midnight. */
const followDay = (listener: () => void) => {
  const interval = setInterval(listener, 60_000)
  return () => clearInterval(interval)
}

/** The day it is, for the words above. */
export const useToday = (): number => useSyncExternalStore(followDay, getToday)
