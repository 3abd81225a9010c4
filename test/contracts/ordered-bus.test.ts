import { expect, test } from 'vitest'
import { inVersionOrder } from '../../server/domain/ordered-bus.ts'
import type { BusEvent } from '../../server/domain/ports.ts'

test('[P5] what one commit brought forth is published in the order of its versions', async () => {
  const versions: number[] = []
  const bus = inVersionOrder({
    publish: (_usernames, event) => void (event.type === 'receipt' && versions.push(event.receipt.version)),
    listen: () => () => {},
    shared: false,
    whole: () => true,
  })
  const receipt = (version: number): BusEvent => ({
    type: 'receipt',
    receipt: { conversationId: 'dm:ada:bob', username: 'bob', deliveredSeq: version, readSeq: 0, version },
  })
  bus.publish(['ada'], receipt(3))
  await Promise.resolve()
  bus.publish(['ada'], receipt(1))
  bus.publish(['ada'], receipt(2))
  await new Promise((resolve) => setImmediate(resolve))
  expect(versions).toEqual([1, 2, 3])
})
