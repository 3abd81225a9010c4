import { z } from 'zod'
import { Username } from './ids.ts'
import { limits } from './limits.ts'

export const OnStatus = z
  .strictObject({
    users: z
      .array(Username)
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
    cursor: Username.optional(),
  })
  .default({ limit: 100 })
export type OnlineUsers = z.infer<typeof OnlineUsers>

export interface OnlineUser {
  username: Username
  /** Since when she is online. */
  since: Date
}

export interface OnlineUserPage {
  /** By username. */
  users: OnlineUser[]
  nextCursor: Username | null
}

export interface Status {
  user: Username
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
