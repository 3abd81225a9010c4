import { createInProcessPresence } from '../../server/bus/in-process-presence.ts'
import { type Chat, createChat } from '../../server/domain/chat.ts'
import type { Ports } from '../../server/domain/ports.ts'
import { defaultRules, noLimits } from '../../server/domain/rates.ts'

/** The rules alone, with no network before them. */
export const createRules = ({ store, bus, clock }: Pick<Ports, 'store' | 'bus' | 'clock'>): Chat =>
  createChat({
    store,
    bus,
    presence: createInProcessPresence(clock),
    passwords: { hash: async () => '', verify: async () => true, isCommon: () => false },
    rates: noLimits,
    rules: defaultRules,
    clock,
    newToken: () => '',
    editWindowMs: Number.POSITIVE_INFINITY,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
