import type { Store } from '../../../server/domain/ports.ts'

/** One who attacks, in a process of its own. */
export interface Attacker {
  url: URL
  /** What it connects from: limits count by address, and loopback has all of 127.0.0.0/8 (on Linux). */
  address: string
  /** How long it is measured. */
  seconds: number
  /** Aborts when it is to end. */
  signal: AbortSignal
  traffic: Traffic
}

/** Of all connections of one who attacks. */
export interface Traffic {
  /** Connections that the server ended, and those that it did not take. */
  cut: number
  refused: number
  /** Bytes. */
  read: number
  written: number
}

export interface Attack {
  /** Settings of the server besides its defaults. */
  environment?: Record<string, string>
  /** How long it is measured where nobody says otherwise. */
  seconds?: number
  /** It finds nothing out in less. */
  secondsMin?: number
  /** How long it takes to build up, which is not measured. */
  buildUpSeconds?: number
  seed?(store: Store): Promise<void>
  /** Attacks until it is told to end. @returns what it found out besides */
  run(attacker: Attacker): Promise<string | undefined>
}
