import { once } from 'node:events'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IDBFactory } from 'fake-indexeddb'
import { describe, expect, test } from 'vitest'
import { fileStorage } from '../../client-sdk/src/chat/outbox/file-storage.ts'
import {
  type Draft,
  type EditDraft,
  indexedDbStorage,
  type MessageDraft,
  memoryStorage,
  type OpenOutboxStorage,
  type StorageNews,
} from '../../client-sdk/src/node.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { createInbox } from '../harness/plain-client.ts'

const owner = { url: 'http://127.0.0.1:3000', userId: 'ada' }
const draft = (name: string, more: Partial<MessageDraft> = {}): Draft => ({
  clientMessageId: name,
  conversationId: 'dm:ada:bob',
  text: `text of ${name}\nwith "quotes" and 👩‍👩‍👧`,
  queuedAt: 1_700_000_000_000,
  failure: null,
  ...more,
})
const edit = (name: string): EditDraft => ({
  type: 'edit',
  clientMessageId: name,
  conversationId: 'dm:ada:bob',
  messageId: null,
  sentAs: 'a',
  text: `later text of ${name}`,
  revision: 1,
  queuedAt: 1_700_000_000_000,
  failure: null,
})
const failed = { kind: 'unknownUser', retryable: false, message: 'There is no user of this name.' } as const
const namesOf = (drafts: Draft[]) => drafts.map(({ clientMessageId }) => clientMessageId)

const answerOf = (request: IDBRequest) =>
  new Promise<void>((resolve, reject) => {
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })

interface Opened extends AsyncDisposable {
  open: OpenOutboxStorage
}

/** What every storage of an outbox does. @param survives what was put is there when it is opened again */
const storageContract = (name: string, prepare: () => Promise<Opened>, survives: boolean) =>
  describe(name, () => {
    test('gives drafts as they were put, in the order of their coming', async () => {
      await using prepared = await prepare()
      const storage = await prepared.open(owner)
      expect(await storage.read()).toEqual([])
      // All at once: the order is that of the calls.
      await Promise.all(['c', 'a', 'b'].map((each) => storage.put(draft(each))))
      expect(await storage.read()).toEqual([draft('c'), draft('a'), draft('b')])
      await storage.close()
    })

    test('a draft that is put again stays in its place', async () => {
      await using prepared = await prepare()
      const storage = await prepared.open(owner)
      for (const each of ['c', 'a', 'b']) await storage.put(draft(each))
      await storage.put(draft('a', { failure: failed }))
      expect(await storage.read()).toEqual([draft('c'), draft('a', { failure: failed }), draft('b')])
      await storage.close()
    })

    test('keeps edits and deletions among the messages', async () => {
      await using prepared = await prepare()
      const storage = await prepared.open(owner)
      const { text, revision, ...rest } = { ...edit('c'), messageId: 'dm:ada:bob:1' }
      const drafts: Draft[] = [draft('a', { type: 'send' }), edit('b'), { ...rest, type: 'delete' }]
      for (const each of drafts) await storage.put(each)
      await storage.put({ ...edit('b'), text, revision })
      expect(await storage.read()).toEqual([drafts[0], { ...edit('b'), text, revision }, drafts[2]])
      await storage.close()
    })

    test('what was removed is gone, and may be removed again', async () => {
      await using prepared = await prepare()
      const storage = await prepared.open(owner)
      for (const each of ['a', 'b', 'c']) await storage.put(draft(each))
      await storage.remove('b', null)
      await storage.remove('b', null)
      expect(namesOf(await storage.read())).toEqual(['a', 'c'])
      await storage.put(draft('b'))
      expect(namesOf(await storage.read())).toEqual(['a', 'c', 'b'])
      await storage.close()
    })

    const testSurvival = survives ? test : () => {}
    testSurvival('opened again it has what it had, and closing waits for what was asked', async () => {
      await using prepared = await prepare()
      const first = await prepared.open(owner)
      const asked = ['a', 'b', 'c'].map((each) => first.put(draft(each)))
      asked.push(first.remove('b', null))
      await first.close()
      await Promise.all(asked)
      const second = await prepared.open(owner)
      expect(await second.read()).toEqual([draft('a'), draft('c')])
      await second.put(draft('d'))
      await second.close()
      const third = await prepared.open(owner)
      expect(namesOf(await third.read())).toEqual(['a', 'c', 'd'])
      await third.close()
    })

    test('one leads, until it gives up the lead', async () => {
      await using prepared = await prepare()
      const storage = await prepared.open(owner)
      const over = new AbortController()
      await storage.lead(over.signal)
      over.abort()
      await storage.lead(new AbortController().signal)
      await storage.close()
    })
  })

storageContract('in memory', async () => ({ open: memoryStorage, async [Symbol.asyncDispose]() {} }), false)

const inFile = async () => {
  const directory = await temporaryDirectory()
  const file = join(directory.path, 'outbox')
  return { file, open: fileStorage(file), [Symbol.asyncDispose]: directory[Symbol.asyncDispose] }
}
storageContract('in a file', inFile, true)

const inIndexedDb = async () => {
  globalThis.indexedDB = new IDBFactory()
  return { open: indexedDbStorage, async [Symbol.asyncDispose]() {} }
}
storageContract('in IndexedDB', inIndexedDb, true)

describe('in a file', () => {
  test('a line that was being written when the process ended counts as not written', async () => {
    await using prepared = await inFile()
    const before = await prepared.open(owner)
    await before.put(draft('a'))
    await before.close()
    await appendFile(prepared.file, JSON.stringify({ put: draft('b') }).slice(0, -5))
    const after = await prepared.open(owner)
    expect(namesOf(await after.read())).toEqual(['a'])
    await after.put(draft('c'))
    await after.close()
    const last = await prepared.open(owner)
    expect(namesOf(await last.read())).toEqual(['a', 'c'])
    await last.close()
  })

  test('it is written anew before it fills up with what was sent', async () => {
    await using prepared = await inFile()
    const storage = await prepared.open(owner)
    await storage.put(draft('kept'))
    for (let i = 0; i < 1_500; i++) {
      void storage.put(draft(`${i}`))
      await storage.remove(`${i}`, null)
    }
    expect((await readFile(prepared.file, 'utf8')).split('\n').length).toBeLessThan(1_500)
    expect(namesOf(await storage.read())).toEqual(['kept'])
    await storage.close()
    const again = await prepared.open(owner)
    expect(namesOf(await again.read())).toEqual(['kept'])
    await again.close()
  })

  test('the file of somebody else, or of something else, is refused in plain words, and left as it is', async () => {
    await using prepared = await inFile()
    await (await prepared.open(owner)).close()
    await expect(prepared.open({ ...owner, userId: 'bob' })).rejects.toThrow(
      `${prepared.file} is the outbox of ada at http://127.0.0.1:3000; each user and server has a file of its own.`,
    )
    await writeFile(prepared.file, 'my diary\n')
    await expect(prepared.open(owner)).rejects.toThrow(`${prepared.file} is not an outbox`)
    expect(await readFile(prepared.file, 'utf8')).toBe('my diary\n')
  })

  test('one holder at a time; the lock of a process that has died is taken over', async () => {
    await using prepared = await inFile()
    const holder = await prepared.open(owner)
    await expect(prepared.open(owner)).rejects.toThrow(`Process ${process.pid} holds ${prepared.file}.lock`)
    await holder.close()
    // No process has this id: it is above what systems give.
    await writeFile(`${prepared.file}.lock`, '4194999')
    const next = await prepared.open(owner)
    expect(await readFile(`${prepared.file}.lock`, 'utf8')).toMatch(new RegExp(`^${process.pid} `))
    await next.close()
  })

  test('a lock is taken over where its process has died and another one has its id', async () => {
    await using prepared = await inFile()
    await writeFile(`${prepared.file}.lock`, `${process.ppid}`)
    await expect(prepared.open(owner)).rejects.toThrow(`Process ${process.ppid} holds ${prepared.file}.lock`)
    // Elsewhere than on Linux nobody can tell.
    if (process.platform !== 'linux') return
    await writeFile(`${prepared.file}.lock`, `${process.ppid} 1`)
    await (await prepared.open(owner)).close()
  })

  test('of many that find the lock of a dead process one takes it over', async () => {
    await using prepared = await inFile()
    await writeFile(`${prepared.file}.lock`, '4194999')
    const opened = await Promise.allSettled(Array.from({ length: 20 }, () => prepared.open(owner)))
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const each of opened) if (each.status === 'fulfilled') await each.value.close()
  })

  test('a line that cannot be read is passed over, and kept in a copy', async () => {
    await using prepared = await inFile()
    const storage = await prepared.open(owner)
    await storage.put(draft('a'))
    await storage.put(draft('b'))
    await storage.put(draft('c'))
    await storage.close()
    const text = await readFile(prepared.file, 'utf8')
    const damaged = text.replace(/^.*text of b.*$/m, '\0\0\0\0')
    await writeFile(prepared.file, damaged)
    const warned = once(process, 'warning')
    const again = await prepared.open(owner)
    expect(namesOf(await again.read())).toEqual(['a', 'c'])
    await again.close()
    const [warning] = (await warned) as [Error]
    const copy = /kept as (\S+)\.$/.exec(warning.message)?.[1] ?? ''
    expect(await readFile(copy, 'utf8')).toBe(damaged)
  })

  test('one that is closed touches nothing of the next holder, neither its lock nor its file', async () => {
    await using prepared = await inFile()
    const closed = await prepared.open(owner)
    await closed.put(draft('a'))
    await closed.close()
    const holder = await prepared.open(owner)
    await holder.put(draft('b'))
    await closed.close()
    await expect(prepared.open(owner)).rejects.toThrow(`Process ${process.pid} holds ${prepared.file}.lock`)
    await expect(closed.put(draft('c'))).rejects.toThrow(`${prepared.file} is closed.`)
    await expect(closed.remove('a', null)).rejects.toThrow(`${prepared.file} is closed.`)
    await holder.put(draft('d'))
    await holder.close()
    const next = await prepared.open(owner)
    expect(namesOf(await next.read())).toEqual(['a', 'b', 'd'])
    await next.close()
  })
})

describe('in IndexedDB', () => {
  test('closed by a page that deletes it, or by the browser, it is opened again', async () => {
    await using prepared = await inIndexedDb()
    const storage = await prepared.open(owner)
    await storage.put(draft('a'))
    await answerOf(indexedDB.deleteDatabase(`parley outbox of ${owner.userId} at ${owner.url}`))
    await Promise.all(['b', 'c'].map((each) => storage.put(draft(each))))
    expect(namesOf(await storage.read())).toEqual(['b', 'c'])
    await storage.close()
    await expect(storage.put(draft('d'))).rejects.toThrow()
  })

  test('where it cannot be opened again at once, it is when something is to be kept', async () => {
    await using prepared = await inIndexedDb()
    const storage = await prepared.open(owner)
    await answerOf(indexedDB.deleteDatabase(`parley outbox of ${owner.userId} at ${owner.url}`))
    const whole = globalThis.indexedDB
    const broken = Object.assign(Object.create(whole), {
      open() {
        throw new DOMException('no room', 'UnknownError')
      },
    })
    globalThis.indexedDB = broken
    await expect(storage.put(draft('a'))).rejects.toThrow('no room')
    globalThis.indexedDB = whole
    await storage.put(draft('b'))
    expect(namesOf(await storage.read())).toEqual(['b'])
    await storage.close()
  })

  test('each holder hears what the others do, and users have storages of their own', async () => {
    await using prepared = await inIndexedDb()
    const [one, other, stranger] = await Promise.all([
      prepared.open(owner),
      prepared.open(owner),
      prepared.open({ ...owner, userId: 'bob' }),
    ])
    const heard = createInbox<StorageNews>()
    const overheard = createInbox<StorageNews>()
    other.listen(heard.add)
    stranger.listen(overheard.add)
    await one.put(draft('a'))
    await one.remove('a', null)
    await heard.until(() => heard.items.length === 2)
    expect(heard.items).toEqual([
      { type: 'put', draft: draft('a') },
      { type: 'removed', clientMessageId: 'a', message: null },
    ])
    await one.put(draft('b'))
    expect(namesOf(await other.read())).toEqual(['b'])
    expect(await stranger.read()).toEqual([])
    expect(overheard.items).toEqual([])
    await Promise.all([one, other, stranger].map((storage) => storage.close()))
  })
})
