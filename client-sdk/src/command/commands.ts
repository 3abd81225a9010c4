import { login, logout, me, profile, register } from './account-commands.ts'
import type { Command } from './command.ts'
import { conversations, online } from './list-commands.ts'
import { listen } from './listen.ts'
import { deleteMessage, edit, history, markRead, send, versions } from './message-commands.ts'

/** By their names, in the order of the help. */
export const commands: Record<string, Command> = {
  register,
  login,
  logout,
  me,
  profile,
  send,
  edit,
  delete: deleteMessage,
  versions,
  history,
  conversations,
  'mark-read': markRead,
  online,
  listen,
}
