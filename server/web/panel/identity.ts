import type { PanelDocument, ProcedureDescription } from '../../panel/document.ts'
import { initialOf } from './form/schema.ts'
import { richValue, withoutSecrets } from './form/values.ts'
import type { Mode, SharedCall, Via } from './hash.ts'
import { type Json, valueAt } from './json.ts'
import { createLiveSubscription, type LiveSubscription } from './live.ts'
import { createStore } from './store.ts'
import { type Connection, type ConnectionState, createConnection } from './wire/connection.ts'
import { asFailure, type Failure } from './wire/failure.ts'
import { callOverHttp } from './wire/http-call.ts'
import { transformers } from './wire/transformer.ts'

export interface SavedIdentity {
  name: string | null
  token: string | null
  /** The procedure that is open in her place. */
  path: string | null
}

/** A call that was made, and what came of it. */
export interface CallRecord {
  id: number
  procedure: ProcedureDescription
  /** As in the form. */
  input: Json | undefined
  via: Via
  startedAt: Date
  /** Null: no answer yet. */
  outcome: { ms: number; value?: unknown; failure?: Failure } | null
}

export interface IdentityState extends SavedIdentity {
  connection: ConnectionState
  mode: Mode
  via: Via
  /** What stands in the forms, by procedure: going back to one finds it as it was. */
  inputs: Record<string, Json | undefined>
  /** Newest first. */
  calls: CallRecord[]
  subscriptions: LiveSubscription[]
}

const maxCalls = 50

/** Somebody with a place of her own on the page: a token or none, a connection, calls and subscriptions. */
export const createIdentity = ({
  document,
  key,
  saved,
  onSave,
  onSignedIn,
}: {
  document: PanelDocument
  key: string
  saved: SavedIdentity
  /** What has to outlive a reload has changed. */
  onSave(): void
  /** A token came where there is one already. */
  onSignedIn(name: string, token: string): void
}) => {
  const transformer = transformers[document.transformer]
  const store = createStore<IdentityState>({
    ...saved,
    path: saved.path ?? firstPath(document),
    connection: { status: 'idle' },
    mode: 'form',
    via: 'http',
    inputs: {},
    calls: [],
    subscriptions: [],
  })
  let nextId = 1
  let connection: Connection

  const withToken = (templates: Record<string, string>): Record<string, string> | null => {
    const { token } = store.get()
    if (token === null) return null
    return Object.fromEntries(
      Object.entries(templates).map(([name, value]) => [name, value.replaceAll('{{token}}', token)]),
    )
  }
  const startConnection = () => {
    const made = createConnection({
      url: `${location.origin.replace(/^http/, 'ws')}${document.endpoint}`,
      connectionParams: withToken(document.credentials.connectionParams),
      transformer,
      finalCloseCodes: document.finalCloseCodes,
      onState: (state) => {
        // What is left of one that was replaced says nothing any more.
        if (connection === made) store.set({ connection: state })
      },
    })
    connection = made
    store.set({ connection: { status: 'idle' } })
    // Somebody who is signed in is there, as she would be with a program of hers.
    if (store.get().token !== null) connection.connect()
  }

  const signIn = (name: string, token: string) => {
    connection.close()
    store.set({ name, token, subscriptions: [] })
    startConnection()
    onSave()
  }
  /** What she followed stays to be read. */
  const forget = (path: string | null) => {
    for (const live of store.get().subscriptions) live.stop()
    connection.close()
    store.set({ name: null, token: null, path })
    startConnection()
    onSave()
  }

  const send = ({ path, kind }: ProcedureDescription, input: unknown, via: Via): Promise<unknown> => {
    if (via === 'websocket') return connection.call(kind as 'query', path, input)
    const url = `${document.endpoint}/${path.replaceAll('.', document.pathSeparator)}`
    const headers = withToken(document.credentials.headers) ?? {}
    return callOverHttp({ kind: kind as 'query', url, headers, input }, transformer)
  }

  /** Whether the answer holds a token, as the router's owner said. */
  const signInBy = ({ path, input }: ProcedureDescription, value: unknown) => {
    const place = document.signIn.find((signIn) => signIn.path === path)
    const token = place && valueAt(value, place.token.split('.'))
    if (!place || typeof token !== 'string') return
    const name = String(valueAt(value, place.name.split('.')) ?? 'somebody')
    // The password has done its work.
    const { inputs } = store.get()
    store.set({ inputs: { ...inputs, [path]: withoutSecrets(input, inputs[path]) } })
    if (store.get().token === null) signIn(name, token)
    else onSignedIn(name, token)
  }

  startConnection()
  return {
    key,
    store,
    /** Opens a procedure, with the input of a link where one is given. */
    open({ path, input, mode, via }: Partial<SharedCall> & { path: string }) {
      const { inputs } = store.get()
      store.set({
        path,
        ...(input !== undefined && { inputs: { ...inputs, [path]: input } }),
        ...(mode && { mode }),
        ...(via && { via }),
      })
      onSave()
    },
    setInput(path: string, input: Json | undefined) {
      store.set({ inputs: { ...store.get().inputs, [path]: input } })
    },
    setMode: (mode: Mode) => store.set({ mode }),
    setVia: (via: Via) => store.set({ via }),

    async call(procedure: ProcedureDescription, input: Json | undefined, via: Via): Promise<void> {
      const id = nextId++
      const record: CallRecord = { id, procedure, input, via, startedAt: new Date(), outcome: null }
      store.set({ calls: [record, ...store.get().calls].slice(0, maxCalls) })
      const started = performance.now()
      const finish = (outcome: { value?: unknown; failure?: Failure }) => {
        const ms = performance.now() - started
        const calls = store
          .get()
          .calls.map((call) => (call.id === id ? { ...call, outcome: { ms, ...outcome } } : call))
        store.set({ calls })
      }
      try {
        const value = await send(procedure, richValue(document.transformer, procedure.input, input), via)
        finish({ value })
        if (procedure.path === document.signOut) forget(procedure.path)
        else signInBy(procedure, value)
      } catch (thrown) {
        finish({ failure: asFailure(thrown) })
      }
    },

    subscribe(procedure: ProcedureDescription, input: Json | undefined) {
      const live = createLiveSubscription(nextId++, procedure, input, (handlers) =>
        connection.subscribe(procedure.path, richValue(document.transformer, procedure.input, input), handlers),
      )
      store.set({ subscriptions: [live, ...store.get().subscriptions] })
    },
    /** Stops it, if it runs, and takes its log away. */
    dismiss(live: LiveSubscription) {
      live.stop()
      store.set({ subscriptions: store.get().subscriptions.filter((other) => other !== live) })
    },

    connect: () => connection.connect(),
    cut: () => connection.cut(),
    /** Ends her session on the server where that can be asked for; in any case the token is forgotten. */
    async signOut(): Promise<void> {
      const procedure = document.procedures.find(({ path }) => path === document.signOut)
      if (procedure) await send(procedure, undefined, 'http').catch(() => {})
      forget(firstPath(document))
    },
    close: () => connection.close(),
  }
}

export type Identity = ReturnType<typeof createIdentity>

/** A stranger signs in first, where one can. */
const firstPath = ({ signIn, procedures }: PanelDocument): string | null =>
  signIn[0]?.path ?? procedures[0]?.path ?? null

/** What stands in a form that nobody touched yet. */
export const startOf = ({ input }: ProcedureDescription): Json | undefined =>
  input === null ? undefined : initialOf({ schema: input, root: input })
