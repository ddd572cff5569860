import type { Context } from './context.js'
import type { Sniffed } from './sniffed.js'

/** The protocols of which an inbound may ask for the name inside; of these, `http` and `tls` are recognised. */
export type SniffedProtocol = 'http' | 'tls' | 'quic' | 'fakedns' | 'fakedns+others'

/** Whether an inbound's sessions are told by their first bytes (`sniffing` of an inbound). */
export interface SniffingSettings {
  /** @default false */
  readonly enabled?: boolean
  /** Of which protocols the name inside takes the place of an address as target. @default none */
  readonly destOverride?: readonly SniffedProtocol[]
  /** Rules see the name, and the outbound goes to the address nevertheless. @default false */
  readonly routeOnly?: boolean
  /** Names that are never used, in the forms of a rule's `domain`; a plain one stands for exactly itself. @default none */
  readonly domainsExcluded?: readonly string[]
  /** Addresses that no name takes the place of, in the forms of a rule's `ip`. @default none */
  readonly ipsExcluded?: readonly string[]
  /** Look at nothing that the client sends: no session is sniffed then. @default false */
  readonly metadataOnly?: boolean
}

/** Recognises protocols by a session's first bytes, as the settings of one inbound say. */
export interface Sniffer {
  /** Whether the outbound goes to the target as the client named it, whatever the name inside is. */
  readonly routeOnly: boolean
  /** Whether the result can matter to this session. Only then its client is answered early, which costs it the truthful answer. */
  wants(session: Context): boolean
  /**
   * @param head All that has come so far, at most 16 KiB of it.
   * @returns `more` while further bytes may tell, `undefined` where none will.
   */
  read(head: Buffer, session: Context): Sniffed | 'more' | undefined
}
