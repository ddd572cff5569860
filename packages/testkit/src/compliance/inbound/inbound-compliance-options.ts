import type { Destination, Inbound, Policy, PolicyManager, ProxyError, SessionRequest } from '@sluice/core'
import type { TestRunner } from '../suite.js'

export interface InboundNeeds {
  /** The limits to run with; some checks shorten one of them. */
  readonly policy: Policy
  /** The same for every level, for an inbound that asks a policy manager. */
  readonly policies: PolicyManager
}

/** What an inbound told its client about a request. */
export interface ClientAnswer {
  readonly success: boolean
  /** The answer's number: REP, status … */
  readonly code: number
  /** What came behind the answer. */
  readonly rest: Buffer
}

export interface InboundSetup {
  readonly inbound: Inbound
  /** All bytes that a client sends to ask for that target, the negotiation before it included. */
  request(target: Destination): string | Uint8Array
  /**
   * Reads all that a client received so far.
   * @returns `undefined` while the answer to the request has not come, or only in part.
   */
  parseAnswer(received: Buffer): ClientAnswer | undefined
  /** The code of the answer to that failure: a column of `answerTo`. */
  answerCode(error: ProxyError): number
  /** First bytes that are no request of this protocol, or a broken one. */
  readonly malformed: readonly (string | Uint8Array)[]
  close?(): Promise<void>
}

export interface InboundComplianceOptions extends TestRunner {
  /** Names the suite: `socks with accounts`. */
  readonly name: string
  /** Called once for each check. */
  readonly setup: (needs: InboundNeeds) => Promise<InboundSetup>
  /** What the protocol can ask for. @default a name, an IPv4 and an IPv6 address */
  readonly targets?: readonly Destination[]
  /** Who the request is from, where it is from somebody. */
  readonly user?: SessionRequest['user']
  /** How many clients must leave nothing behind, 50 of them at a time. @default 200 */
  readonly clients?: number
  /** What no client may be told: passwords of accounts. @default none */
  readonly secrets?: readonly string[]
  /** How long anything may take that should happen at once. @default 5_000 */
  readonly limitMs?: number
}
