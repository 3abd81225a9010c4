import type { ChatMessage } from '@parley/client'

/** `changing`: an edit or a deletion is on its way; `unchanged`: it failed. */
type OwnStatus = Exclude<ChatMessage['status'], 'received'> | 'changing' | 'unchanged'

const words: Record<OwnStatus, string> = {
  sending: 'Sending',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Not sent',
  changing: 'Saving',
  unchanged: 'Not saved',
}

const mark = 'M12 7v6M12 16.5v.5M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0z'
const clock = 'M12 7v5l3 2M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0z'

const drawings: Record<OwnStatus, string> = {
  sending: clock,
  changing: clock,
  sent: 'M6 12.5l4 4 8-9',
  delivered: 'M2 12.5l4 4 8-9M11.5 15l1.5 1.5 8-9',
  // On a ground of its own, so that it differs by more than its colour.
  read: 'M7.5 12.5l3.2 3.2 5.8-6.7',
  failed: mark,
  unchanged: mark,
}

/** How far an own message is. */
export const Ticks = ({ status }: { status: OwnStatus }) => (
  <span className="ticks" data-status={status} title={words[status]}>
    <svg viewBox="0 0 24 24" aria-hidden="true">
      {status === 'read' && <circle cx="12" cy="12" r="9" />}
      <path d={drawings[status]} />
    </svg>
    <span className="unseen">{words[status]}</span>
  </span>
)
