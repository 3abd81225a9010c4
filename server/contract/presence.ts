import { z } from 'zod'
import { UserId } from './ids.ts'
import { limits } from './limits.ts'

export const OnStatus = z
  .strictObject({
    users: z
      .array(UserId)
      .max(limits.statusFilterMax)
      .optional()
      .describe(
        'Only these; without it, everybody. Of nobody: the stream says only that this client is there, and the server too.',
      ),
  })
  .default({})
export type OnStatus = z.infer<typeof OnStatus>

export const OnlineUsers = z
  .strictObject({
    limit: z.int().min(1).max(500).default(100),
    cursor: UserId.optional(),
  })
  .default({ limit: 100 })
export type OnlineUsers = z.infer<typeof OnlineUsers>

export interface OnlineUser {
  userId: UserId
  displayName: string
  /** Since when she is online. */
  since: Date
}

export interface OnlineUserPage {
  /** By user id. */
  users: OnlineUser[]
  nextCursor: UserId | null
}

export interface Status {
  userId: UserId
  displayName: string
  status: 'online' | 'offline'
  /** When her last connection ended; null while she is online, or if she never was. */
  lastSeenAt: Date | null
}

/**
 * First `snapshot`: who is online (of `users` where they are named: all of them, whatever their status), in events of
 * at most 500, the last with `more: false`. Then `change`, whenever somebody comes or goes, gathered over moments.
 */
export type StatusEvent =
  | { type: 'snapshot'; statuses: Status[]; more: boolean }
  | { type: 'change'; statuses: Status[] }
