import { login, logout, me, register } from './account-commands.ts'
import type { Command } from './command.ts'
import { conversations, online } from './list-commands.ts'
import { listen } from './listen.ts'
import { history, markRead, send } from './message-commands.ts'

/** By their names, in the order of the help. */
export const commands: Record<string, Command> = {
  register,
  login,
  logout,
  me,
  send,
  history,
  conversations,
  'mark-read': markRead,
  online,
  listen,
}
