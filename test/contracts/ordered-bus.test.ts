import { expect, test } from 'vitest'
import { createInProcessBus } from '../../server/bus/in-process.ts'
import { inVersionOrder } from '../../server/domain/ordered-bus.ts'
import { conversation, message } from './bus.ts'

test('[P5] what one commit brought forth is published in the order of its versions', async () => {
  const versions: number[] = []
  const bus = inVersionOrder(createInProcessBus())
  bus.listen(
    ['bob'],
    ({ version }) => versions.push(version),
    () => {},
  )
  bus.publish(conversation, message(3))
  await Promise.resolve()
  bus.publish(conversation, message(1))
  bus.publish(conversation, message(2))
  await new Promise((resolve) => setImmediate(resolve))
  expect(versions).toEqual([1, 2, 3])
})
