import type { Seq } from '../contract/index.ts'
import type { Interval } from './ports.ts'

/** Whether somebody with these intervals may read the message with this number: the one test of every read (P9). */
export const mayRead = (intervals: Interval[], seq: Seq): boolean =>
  intervals.some(({ fromSeq, untilSeq }) => fromSeq <= seq && seq <= (untilSeq ?? Number.POSITIVE_INFINITY))

/** Whether somebody with these intervals is a member now. */
export const isMember = (intervals: Interval[]): boolean => intervals.at(-1)?.untilSeq === null

/** The parts of `from` to `to` that somebody with these intervals may read, in order. */
export const readableParts = (intervals: Interval[], from: Seq, to: Seq): { from: Seq; to: Seq }[] =>
  intervals
    .map(({ fromSeq, untilSeq }) => ({ from: Math.max(from, fromSeq), to: Math.min(to, untilSeq ?? to) }))
    .filter((part) => part.from <= part.to)
