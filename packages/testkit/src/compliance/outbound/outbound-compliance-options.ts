import type { Destination, Dialer, Outbound, Policy, PolicyManager } from '@sluice/core'
import type { TestRunner } from '../suite.js'

/**
 * How the upstream is to treat the outbound; the `behaviour` of `connectProxy` has the same words.
 *
 * - `tunnel`: carries sessions to their targets
 * - `glue`: sends the target's first bytes together with its answer
 * - `stall`: accepts the connection and never answers
 * - `refuse`: answers that it will not
 */
export type OutboundScenario = 'tunnel' | 'glue' | 'stall' | 'refuse'

export interface OutboundNeeds {
  readonly scenario: OutboundScenario
  /** The limits to run with; some checks shorten one of them. */
  readonly policy: Policy
  /** The same for every level, for an outbound that asks a policy manager. */
  readonly policies: PolicyManager
}

export interface OutboundSetup {
  /** The suite calls its `start` and `close`. */
  readonly outbound: Outbound
  /** What the outbound is given as its dialer. The suite counts what it dials. */
  readonly dialer: Dialer
  /** Stops the upstream. */
  close?(): Promise<void>
}

export interface OutboundComplianceOptions extends TestRunner {
  /** Names the suite: `http over TLS`. */
  readonly name: string
  /** Called once for each check. */
  readonly setup: (needs: OutboundNeeds) => Promise<OutboundSetup>
  /** What `setup` can arrange beside `tunnel`; checks that need another are left out. @default none */
  readonly scenarios?: readonly OutboundScenario[]
  /** The way to the target keeps half-closes. @default true */
  readonly halfClose?: boolean
  /** The way to the target passes resets on, both ways. @default true */
  readonly passesReset?: boolean
  /** The outbound has `connect`. @default true */
  readonly tunnel?: boolean
  /** Sessions share connections, which outlive them until `outbound.close`. @default false */
  readonly pools?: boolean
  /** How many sessions run at once in the check of that. @default 100 */
  readonly sessions?: number
  /** How many sessions, ending in turn in every way, must leave nothing behind. @default 200 */
  readonly rounds?: number
  /** What no error may hold: passwords, and what they are sent as. @default none */
  readonly secrets?: readonly string[]
  /** How long anything may take that should happen at once. @default 5_000 */
  readonly limitMs?: number
  /** Where the upstream finds a target that listens on loopback, if that is not where it listens. */
  readonly reach?: (target: Destination) => Destination
}
