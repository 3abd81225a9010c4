import type { PanelDocument } from '../../panel/document.ts'
import { createIdentity, type Identity, type SavedIdentity } from './identity.ts'
import { isObject } from './json.ts'
import { createStore } from './store.ts'

/**
 * Where tokens are kept: in this tab's session storage, which no other tab reads and which goes with the tab. A reload must not
 * sign anybody out, so memory alone is too little; local storage would leave tokens behind for everybody who opens this
 * browser later. Scripts of others cannot read it, as the page's policy lets none run.
 */
const storageKey = 'panel.identities'

/** All who are tried out beside each other, and whose turn it is. There is always one at least. */
export const createIdentities = (document: PanelDocument) => {
  let nextKey = 1
  const make = (saved: SavedIdentity): Identity =>
    createIdentity({ document, key: `identity-${nextKey++}`, saved, onSave: save, onSignedIn: addSignedIn })

  const save = () => {
    const { list, active } = store.get()
    const saved = list.map((identity) => {
      const { name, token, path } = identity.store.get()
      return { name, token, path, isActive: identity === active } satisfies SavedPlace
    })
    sessionStorage.setItem(storageKey, JSON.stringify(saved))
  }
  /** Somebody signed in from the place of one who is signed in already: she gets a place of her own. */
  const addSignedIn = (name: string, token: string) => {
    const added = make({ name, token, path: store.get().active.store.get().path })
    store.set({ list: [...store.get().list, added], active: added })
    save()
  }

  const saved = readSaved()
  const list = saved.map(make)
  const first = list[saved.findIndex(({ isActive }) => isActive)] ?? list[0] ?? make(nobody)
  const store = createStore<{ list: Identity[]; active: Identity }>({
    list: list.length > 0 ? list : [first],
    active: first,
  })

  return {
    store,
    activate(identity: Identity) {
      if (store.get().active === identity) return
      store.set({ active: identity })
      save()
    },
    add() {
      const added = make(nobody)
      store.set({ list: [...store.get().list, added], active: added })
      save()
    },
    /** Closes her place; her session goes on on the server. */
    remove(identity: Identity) {
      identity.close()
      const rest = store.get().list.filter((other) => other !== identity)
      const left = rest.length > 0 ? rest : [make(nobody)]
      store.set({ list: left, active: left.at(-1) ?? store.get().active })
      save()
    },
  }
}

export type Identities = ReturnType<typeof createIdentities>

/** What is in the address is for the one who was at hand. */
interface SavedPlace extends SavedIdentity {
  isActive?: boolean
}

const nobody: SavedIdentity = { name: null, token: null, path: null }

const readSaved = (): SavedPlace[] => {
  try {
    const saved: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? '[]')
    return Array.isArray(saved) ? saved.filter(isSaved) : []
  } catch {
    return []
  }
}

const isTextOrNull = (value: unknown): boolean => typeof value === 'string' || value === null
const isSaved = (value: unknown): value is SavedPlace =>
  isObject(value) && isTextOrNull(value.name) && isTextOrNull(value.token) && isTextOrNull(value.path)
