import type { PanelDocument, ProcedureDescription } from '../../panel/document.ts'
import { withoutSecrets } from './form/values.ts'
import { readHash, type SharedCall, writeHash } from './hash.ts'
import type { Identities } from './identities.ts'
import type { Identity } from './identity.ts'

/** The address of a call, to be passed on. */
export const linkTo = (procedure: ProcedureDescription, call: Omit<SharedCall, 'path'>): string =>
  `${location.origin}${location.pathname}${hashOf(procedure, call)}`

const hashOf = (procedure: ProcedureDescription, call: Omit<SharedCall, 'path'>): string =>
  writeHash({ ...call, path: procedure.path, input: withoutSecrets(procedure.input, call.input) })

/**
 * Keeps the address and the active place in step: what is typed is in the address, and an address that is opened fills
 * the form. It never calls anything: that takes a click, wherever a link came from.
 */
export const followAddress = (document: PanelDocument, identities: Identities): void => {
  const apply = () => {
    const call = readHash(location.hash)
    if (call) identities.store.get().active.open(call)
  }
  const write = (identity: Identity) => {
    const { path, inputs, mode, via } = identity.store.get()
    const procedure = document.procedures.find((procedure) => procedure.path === path)
    if (!procedure) return
    const hash = hashOf(procedure, { input: inputs[procedure.path], mode, via })
    const before = written
    written = identity
    if (hash === location.hash) return
    // Going back leads to the procedure before: not through every letter, nor from one identity to another.
    const isNext = location.hash !== '' && readHash(location.hash)?.path !== path && identity === before
    if (isNext) history.pushState(null, '', hash)
    else history.replaceState(null, '', hash)
  }

  apply()
  /** Whose the address is. */
  let written: Identity = identities.store.get().active
  let stop = () => {}
  let timer: ReturnType<typeof setTimeout> | undefined
  const follow = () => {
    stop()
    const { active } = identities.store.get()
    const change = () => {
      clearTimeout(timer)
      if (readHash(location.hash)?.path !== active.store.get().path) return write(active)
      // Browsers refuse an address that changes with every letter of a fast typist.
      timer = setTimeout(() => write(active), 150)
    }
    stop = active.store.subscribe(change)
    change()
  }
  identities.store.subscribe(follow)
  follow()
  addEventListener('hashchange', apply)
}
