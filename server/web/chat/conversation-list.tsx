import type { Chat } from '@parley/client'
import { useView } from '@parley/client/react'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { ConversationRow } from './conversation-row.tsx'
import type { Drafts } from './drafts.ts'
import { useInbox } from './inbox.ts'
import { useToday } from './times.ts'
import { useWhoIsOnline } from './who-is-online.ts'

/** More are asked for when so much is left below. */
const loadAheadPx = 600

interface ConversationListProps {
  chat: Chat
  drafts: Drafts
  openId: string | null
  /** Dots that nobody can vouch for are not shown. */
  isConnected: boolean
  onStart(): void
}

export const ConversationList = ({ chat, drafts, openId, isConnected, onStart }: ConversationListProps) => {
  const { entries, hasMore, isLoading, error } = useInbox(chat)
  const texts = useView(drafts.view)
  const today = useToday()
  const peers = useMemo(() => entries.flatMap(({ peer }) => peer ?? []), [entries])
  const statuses = useWhoIsOnline(chat, peers)
  const list = useRef<VirtualizerHandle>(null)
  const { activeIndex, rows, onKeyDown, setActive } = useRovingFocus(entries, openId, list)

  const loadMore = () => {
    const { scrollOffset = 0, scrollSize = 0, viewportSize = 0 } = list.current ?? {}
    const isNear = scrollSize - scrollOffset - viewportSize < loadAheadPx
    if (hasMore && !isLoading && !error && isNear) void chat.conversations.loadMore()
  }

  if (entries.length === 0) {
    return isLoading ? <Waiting /> : <NoConversations reason={error?.message ?? null} onStart={onStart} />
  }
  return (
    <nav className="rows" aria-label="Conversations" ref={rows} onKeyDown={onKeyDown}>
      <Virtualizer
        ref={list}
        as="ul"
        item="li"
        data={entries}
        keepMounted={[activeIndex]}
        onScroll={loadMore}
        onResize={loadMore}
      >
        {(entry, i) => (
          <ConversationRow
            key={entry.id}
            entry={entry}
            userId={chat.userId}
            draft={entry.id === openId ? '' : (texts.get(entry.id) ?? '')}
            isOnline={isConnected && entry.peer !== null && statuses.get(entry.peer)?.status === 'online'}
            isOpen={entry.id === openId}
            isTabStop={i === activeIndex}
            today={today}
            onFocus={setActive}
          />
        )}
      </Virtualizer>
    </nav>
  )
}

/** One of the rows takes part in tabbing; the arrow keys lead from it to the others. */
const useRovingFocus = (
  entries: readonly { id: string }[],
  openId: string | null,
  list: { current: VirtualizerHandle | null },
) => {
  const [active, setActive] = useState(openId)
  const rows = useRef<HTMLElement>(null)
  const isMoving = useRef(false)
  useEffect(() => {
    if (openId !== null) setActive(openId)
  }, [openId])
  const activeIndex = Math.max(
    0,
    entries.findIndex(({ id }) => id === active),
  )
  useEffect(() => {
    if (!isMoving.current) return
    isMoving.current = false
    list.current?.scrollToIndex(activeIndex, { align: 'nearest' })
    // A row that was far out of sight is hidden until it has been measured, and takes no focus before.
    let frame = 0
    const focus = () => {
      const row = rows.current?.querySelector<HTMLElement>('a[tabindex="0"]')
      row?.focus({ preventScroll: true })
      if (document.activeElement !== row) frame = requestAnimationFrame(focus)
    }
    focus()
    return () => cancelAnimationFrame(frame)
  }, [activeIndex, list])

  const onKeyDown = (event: KeyboardEvent) => {
    const last = entries.length - 1
    const steps: Record<string, number> = { ArrowDown: activeIndex + 1, ArrowUp: activeIndex - 1, Home: 0, End: last }
    const step = steps[event.key]
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const next = entries[Math.min(last, Math.max(0, step))]
    if (!next || next === entries[activeIndex]) return
    isMoving.current = true
    setActive(next.id)
  }
  return { activeIndex, rows, onKeyDown, setActive }
}

const Waiting = () => (
  <div className="rows waiting" aria-busy="true">
    <p className="unseen">Loading the conversations</p>
    {[0, 1, 2, 3].map((i) => (
      <span key={i} className="ghost" />
    ))}
  </div>
)

const NoConversations = ({ reason, onStart }: { reason: string | null; onStart(): void }) => (
  <div className="rows nothing">
    {reason ? <p role="alert">{reason}</p> : <p>No conversations yet.</p>}
    <button type="button" className="primary" onClick={onStart}>
      Write to somebody
    </button>
  </div>
)
