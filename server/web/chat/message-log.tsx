import type { Chat, ChatClient, ChatMessage, ConversationSnapshot, ConversationView } from '@parley/client'
import { type Ref, useCallback, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { FormerTexts } from './former-texts.tsx'
import { createLogPlace, LogOverlay } from './log-overlay.tsx'
import { LogStart } from './log-start.tsx'
import { MessageMenu } from './message-menu.tsx'
import { type MessageActs, MessageRow } from './message-row.tsx'
import { useOneEndAtATime } from './one-end-at-a-time.ts'
import { useReading } from './reading.ts'
import { dayOf, dayWords, useToday } from './times.ts'

/** Older messages are asked for when so much is left above. */
const loadAheadPx = 2_000
/** So near to the end, what comes in keeps the end in sight. */
const nearEndPx = 60
/** Drawn beyond what is in sight, so that fast scrolling shows no gaps. */
const bufferPx = 600
/** Above the first unread message, some of what was read before is seen. */
const contextPx = 96
/** Messages of one sender that follow each other sooner than this stand together. */
const groupMs = 5 * 60_000

export interface MessageLogHandle {
  /** Keeps the end in sight from now on: one who sends wants to see it. */
  toBottom(): void
  /** Brings a message into sight. */
  show(key: string): void
}

interface MessageLogProps {
  ref: Ref<MessageLogHandle>
  chat: Chat
  client: ChatClient
  view: ConversationView
  snapshot: ConversationSnapshot
  /** The `seq` of the first message that was unread when the conversation was opened. */
  firstUnread: number | null
  title: string
  isConnected: boolean
  editingKey: string | null
  onEdit(message: ChatMessage): void
}

/** The messages, of which only those in sight are drawn. */
export const MessageLog = (props: MessageLogProps) => {
  const { ref, chat, client, view, snapshot, firstUnread, title, isConnected, editingKey, onEdit } = props
  const { hasOlder, loading, error } = snapshot
  const list = useRef<VirtualizerHandle>(null)
  const isMeasured = () => (list.current?.viewportSize ?? 0) > 0
  const { messages, isPrepended } = useOneEndAtATime(snapshot.messages, isMeasured)
  const start = useRef<HTMLDivElement>(null)
  const [startPx, setStartPx] = useState(0)
  const today = useToday()
  const place = useMemo(createLogPlace, [])
  const follow = useFollowing(list, messages, firstUnread)
  const markRead = useReading(list, messages, view)

  const loadAhead = useCallback(() => {
    const isNear = (list.current?.scrollOffset ?? Number.POSITIVE_INFINITY) < loadAheadPx
    if (isNear && hasOlder && loading === null && !error) void view.loadOlder()
  }, [view, hasOlder, loading, error])

  const look = () => {
    follow.look()
    place.look(list.current, messages, follow.isAtEnd())
    loadAhead()
    markRead()
  }
  const toBottom = () => {
    follow.toEnd()
    place.look(list.current, messages, true)
  }
  const show = (key: string) => {
    const index = messages.findIndex((message) => message.key === key)
    if (index >= 0) list.current?.scrollToIndex(index, { align: 'nearest' })
  }
  useImperativeHandle(ref, () => ({ toBottom, show }))
  useLayoutEffect(() => setStartPx(start.current?.offsetHeight ?? 0))
  // Also where nothing has been scrolled: what came in has changed what is in sight.
  useLayoutEffect(() => {
    follow.keep()
    place.look(list.current, messages, follow.isAtEnd())
    loadAhead()
  }, [messages, follow, place, loadAhead])

  const [opened, setOpened] = useState<Opened | null>(null)
  const acts = useMemo(
    (): MessageActs => ({
      retry: (message) => void chat.outbox.retry(onItsWay(message)),
      cancel: (message) => void chat.outbox.cancel(onItsWay(message)),
      // A second click at the same button only closes what the first one opened.
      openMenu: ({ key }, anchor) => setOpened((opened) => (opened ? null : { what: 'menu', key, anchor })),
      openFormerTexts: ({ key }, anchor) =>
        setOpened((opened) => (opened ? null : { what: 'formerTexts', key, anchor })),
    }),
    [chat],
  )
  const about = opened && messages.find(({ key }) => key === opened.key)
  return (
    <div className="log-frame">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no pointer scrolls it by its focus */}
      <section className="log" aria-label={`Messages with ${title}`} tabIndex={0}>
        <LogStart
          ref={start}
          title={title}
          first={messages[0] ?? null}
          isFirstUnread={firstUnread !== null && messages[0]?.seq === firstUnread}
          today={today}
          hasOlder={hasOlder}
          loading={loading}
          isConnected={isConnected}
          error={error}
          onRetry={() => void view.loadOlder()}
        />
        <Virtualizer
          ref={list}
          as="ol"
          item="li"
          data={messages}
          shift={isPrepended}
          startMargin={startPx}
          bufferSize={bufferPx}
          onScroll={look}
          onScrollEnd={place.rest}
          onResize={() => {
            follow.keep()
            markRead()
          }}
        >
          {(message, i) => {
            const next = messages[i + 1]
            const day = dayOf(message.sentAt)
            const dayBelow = next && dayOf(next.sentAt) !== day ? dayOf(next.sentAt) : null
            return (
              <MessageRow
                key={message.key}
                message={message}
                isFirst={!belongTogether(messages[i - 1], message, firstUnread)}
                isLast={!belongTogether(message, next, firstUnread)}
                dayBelow={dayBelow === null ? null : dayWords(dayBelow, today)}
                isNewBelow={firstUnread !== null && next?.seq === firstUnread}
                isHeld={!isConnected}
                isBeingEdited={message.key === editingKey}
                acts={acts}
              />
            )
          }}
        </Virtualizer>
      </section>
      <LogOverlay place={place} today={today} onToBottom={toBottom} />
      {about && opened.what === 'menu' && (
        <MessageMenu
          key={opened.key}
          anchor={opened.anchor}
          message={about}
          onEdit={onEdit}
          onDelete={({ key }) => void view.delete(key)}
          onClose={() => setOpened(null)}
        />
      )}
      {about && opened.what === 'formerTexts' && (
        <FormerTexts
          key={opened.key}
          client={client}
          anchor={opened.anchor}
          message={about}
          onClose={() => setOpened(null)}
        />
      )}
    </div>
  )
}

/** Under which name the outbox has the message, or the change of it. */
const onItsWay = ({ key, change }: ChatMessage): string => change?.outboxId ?? key

/** What stands open beside a message. */
interface Opened {
  what: 'menu' | 'formerTexts'
  key: string
  anchor: HTMLElement
}

/** No line stands between them, and little time. */
const belongTogether = (a: ChatMessage | undefined, b: ChatMessage | undefined, firstUnread: number | null): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.sender === b.sender &&
  b.sentAt.getTime() - a.sentAt.getTime() < groupMs &&
  dayOf(a.sentAt) === dayOf(b.sentAt) &&
  (firstUnread === null || b.seq !== firstUnread)

/** Begins at what is new, or at the end; and stays at the end until somebody scrolls up. */
const useFollowing = (
  list: { current: VirtualizerHandle | null },
  messages: readonly ChatMessage[],
  firstUnread: number | null,
) => {
  const now = useRef(messages)
  const isAtEnd = useRef(true)
  const lastOffset = useRef(0)
  const firstIndex = firstUnread === null ? -1 : messages.findIndex(({ seq }) => seq === firstUnread)
  const begin = useRef(firstIndex)
  useLayoutEffect(() => {
    now.current = messages
  })
  return useMemo(() => {
    const keep = () => {
      if (!isAtEnd.current || now.current.length === 0) return
      list.current?.scrollToIndex(now.current.length - 1, { align: 'end' })
    }
    const follow = {
      isAtEnd: () => isAtEnd.current,
      keep() {
        const index = begin.current
        begin.current = -1
        if (index < 0) return keep()
        isAtEnd.current = false
        list.current?.scrollToIndex(index, { align: 'start', offset: -contextPx })
      },
      toEnd() {
        isAtEnd.current = true
        keep()
      },
      /** Where the reader is now. Only who goes up leaves the end: what comes in below her does not take her away. */
      look() {
        const { scrollOffset = 0, scrollSize = 0, viewportSize = 0 } = list.current ?? {}
        if (scrollSize - viewportSize - scrollOffset < nearEndPx) isAtEnd.current = true
        else if (scrollOffset < lastOffset.current) isAtEnd.current = false
        lastOffset.current = scrollOffset
      },
    }
    return follow
  }, [list])
}
