import { expect, test } from 'vitest'
import type { Adapt } from '../../server/app.ts'
import type { Change } from '../../server/domain/ports.ts'
import { versionsPerMs } from '../../server/domain/version-time.ts'
import { isMessage, isReceipt } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

/** A store whose versions are inexact: this text can be read only later, and the bus loses it. */
const holdingBack = (text: string) => {
  let isHeld = true
  const isShown = (change: Change) => !isHeld || change.kind !== 'message' || change.message.text !== text
  async function* shownOf(pages: AsyncIterable<Change[]>) {
    for await (const page of pages) yield page.filter(isShown)
  }
  const adapt: Adapt = (ports) => ({
    ...ports,
    store: {
      ...ports.store,
      overlap: 60_000 * versionsPerMs,
      changes: (userId, range, limit) =>
        shownOf(ports.store.changes(userId, { ...range, after: Math.max(0, range.after) }, limit)),
      undelivered: (...query) => shownOf(ports.store.undelivered(...query)),
    },
    bus: {
      ...ports.bus,
      publish(audience, change) {
        if (isShown(change)) ports.bus.publish(audience, change)
      },
    },
  })
  return {
    adapt,
    release() {
      isHeld = false
    },
  }
}

test('[P5] a message that turns up below the cursor of a client that was cut comes when she is back', async () => {
  const { adapt, release } = holdingBack('late')
  await using world = await startWorld({ adapt })
  const [ada, bo, cy] = await world.people('ada', 'bob', 'cyd')
  bo.client.close()
  const before = world.plain(bo.token)
  const seen: string[] = []
  let lastEventId = ''
  const isThere = new Promise<void>((resolve) => {
    before.api.onMessage.subscribe(undefined, {
      onData({ id, data }) {
        lastEventId = id
        if (data.type === 'message') seen.push(data.message.text)
        if (seen.length === 1) resolve()
      },
    })
  })
  await ada.send('bob', 'late')
  await cy.send('bob', 'in time')
  await isThere
  await before[Symbol.asyncDispose]()
  expect(seen).toEqual(['in time'])

  release()
  const after = world.plain(bo.token).follow({ lastEventId })
  await after.first((event): event is typeof event => event.type === 'caughtUp')
  expect(after.items.filter(isMessage).map(({ message }) => message.text)).toContain('late')
})

test('[P5] who began with what was undelivered gets a late message too, and not what was delivered shortly before', async () => {
  const { adapt, release } = holdingBack('late')
  await using world = await startWorld({ adapt })
  const [ada, bo, cy] = await world.people('ada', 'bob', 'cyd')
  const receipts = world.plain(cy.token).follow({ ack: 'client' })
  await cy.send('bob', 'delivered before')
  await receipts.first((event): event is typeof event => isReceipt(event) && event.receipt.userId === 'bob')
  bo.client.close()
  await ada.send('bob', 'while away', 'late')

  const inbox = world.plain(bo.token).follow()
  await inbox.first((event): event is typeof event => event.type === 'caughtUp')
  release()
  // The hole before this one makes the feed read again.
  await ada.send('bob', 'and on')
  const messages = await inbox.some(3, isMessage)
  expect(messages.map(({ message }) => message.text)).toEqual(['while away', 'late', 'and on'])
})
