import { expect, test } from 'vitest'
import { check, type History, type Sent, type Shown } from './checker.ts'

const dm = 'dm:ada:bob'

/** Ada and Bob say numbers to each other in turn, one each 10 ms; all is as it should be. */
const cleanHistory = () => {
  const sent: Sent[] = Array.from({ length: 6 }, (_, i) => ({
    conversationId: dm,
    sender: i % 2 ? 'bob' : 'ada',
    text: `${i}`,
    at: i * 10,
    acknowledged: { at: i * 10 + 5, id: `${dm}:${i + 1}`, seq: i + 1 },
  }))
  const stored = sent.map(({ sender, text }, i) => ({
    conversationId: dm,
    id: `${dm}:${i + 1}`,
    seq: i + 1,
    sender,
    text,
  }))
  const asShown = () => stored.map((message, i): Shown => ({ ...message, at: i * 10 + 6 }))
  const history = {
    sent,
    shown: new Map([
      ['ada', asShown()],
      ['bob', asShown()],
    ]),
    conversationsOf: new Map([
      ['ada', [dm]],
      ['bob', [dm]],
    ]),
    stored: new Map([[dm, stored]]),
    presence: [
      { user: 'bob', online: true, at: 0, boundMs: 100 },
      { user: 'bob', online: false, at: 1_000, boundMs: 100 },
    ],
    sightings: [
      { watcher: 'ada', user: 'bob', online: true, at: 50 },
      { watcher: 'ada', user: 'bob', online: false, at: 1_050 },
    ],
    endedAt: 2_000,
  } satisfies History
  return Object.assign(history, { line: stored, bobs: history.shown.get('bob') as Shown[] })
}

/** One thing that went wrong in an otherwise clean history. */
const after = (spoil: (history: ReturnType<typeof cleanHistory>) => void): string[] => {
  const history = cleanHistory()
  spoil(history)
  return check(history)
}

test('a clean history has nothing in it that is found', () => {
  expect(check(cleanHistory())).toEqual([])
})

test('a send that was never acknowledged may be stored or not', () => {
  expect(
    after(({ sent, line, shown }) => {
      for (const send of sent.slice(-2)) send.acknowledged = null
      line.pop()
      for (const seen of shown.values()) seen.pop()
    }),
  ).toEqual([])
})

test('[P1] a loss: what was acknowledged is not there, or something else is there', () => {
  const lost = after(({ line, shown }) => {
    line.pop()
    for (const seen of shown.values()) seen.pop()
  })
  expect(lost).toEqual(['P1: «5» was acknowledged as dm:ada:bob:6, and is lost'])
  const changed = after(({ sent }) => {
    Object.assign(sent[2]!, { acknowledged: { at: 25, id: `${dm}:5`, seq: 5 } })
  })
  expect(changed).toEqual(['P1: «2» was acknowledged as dm:ada:bob:5, where now dm:ada:bob:5 «4» stands'])
})

test('[P2] a repeat: shown twice to one who looks', () => {
  expect(after(({ bobs }) => void bobs.splice(4, 0, bobs[2]!))).toEqual(['P2: bob was shown dm:ada:bob:3 «2» again'])
})

test('[P3] a swap: shown in another order than the others see', () => {
  expect(after(({ bobs }) => void bobs.splice(2, 2, bobs[3]!, bobs[2]!))).toEqual([
    'P3: bob was shown dm:ada:bob:3 «2» after number 4',
  ])
})

test('[P3] a hole in the numbers, and a text that is not the one the server has', () => {
  const hole = after(({ line }) => void line.splice(2, 1))
  expect(hole).toContain('P3: dm:ada:bob has number 4 at place 3')
  const other = after(({ bobs }) => Object.assign(bobs[1]!, { text: 'something else' }))
  expect(other).toEqual(['P3: bob was shown dm:ada:bob:2 «something else», where the server has dm:ada:bob:2 «1»'])
})

test('[P3] a message that stands before one that was acknowledged before it was sent', () => {
  expect(
    after(({ sent }) => {
      Object.assign(sent[1]!, { at: 100, acknowledged: { ...sent[1]!.acknowledged, at: 105 } })
    }),
  ).toEqual(['P3: «1» stands before «2», which was acknowledged before it was sent'])
})

test('[P4] stored twice, or never sent', () => {
  const twice = after(({ line, shown }) => {
    const again = { ...line[5]!, id: `${dm}:7`, seq: 7 }
    line.push(again)
    for (const seen of shown.values()) seen.push({ ...again, at: 70 })
  })
  expect(twice).toEqual(['P4: dm:ada:bob has «5» twice, as 6 and 7'])
  const invented = after(({ sent }) => void sent.pop())
  expect(invented).toEqual(['P4: dm:ada:bob has «5», which bob never sent'])
})

test('[P5] never shown to one of two', () => {
  expect(after(({ bobs }) => void bobs.splice(2, 1))).toEqual(['P5: bob was never shown dm:ada:bob:3 «2»'])
})

test('[P7] a ghost, somebody who is not seen, and one who flickers', () => {
  expect(after(({ sightings }) => void sightings.pop())).toEqual(['P7: ada saw bob online 100 ms after it was offline'])
  expect(after(({ sightings }) => Object.assign(sightings[0]!, { at: 150 }))).toEqual([
    'P7: ada saw bob offline 100 ms after it was online',
  ])
  expect(
    after(({ sightings }) => {
      sightings.splice(
        1,
        0,
        ...[false, true].map((online, i) => ({ watcher: 'ada', user: 'bob', online, at: 500 + i })),
      )
    }),
  ).toEqual(['P7: ada saw bob offline while it was online'])
})

test('[P9] a conversation of others', () => {
  expect(after(({ bobs }) => void bobs.push({ ...bobs[0]!, conversationId: 'dm:ada:cyd' }))).toEqual([
    'P9: bob was shown dm:ada:cyd',
  ])
})
