import type { Dialer, ProxyErrorCode } from '@sluice/core'
import type { ServerTls } from '../../listening.js'
import type { TestRunner } from '../suite.js'

export interface DialerSetup {
  readonly dialer: Dialer
  /** Stops what the dialer needs to reach its peers. */
  close?(): Promise<void>
}

export interface DialerComplianceOptions extends TestRunner {
  /** Names the suite: `TLS through another outbound`. */
  readonly name: string
  /** Called once for each check. The suite itself starts the peers on 127.0.0.1 and dials them. */
  readonly setup: () => Promise<DialerSetup>
  /** Peers speak TLS like this; the dialer trusts them. Each protocol of `alpn` is offered once. @default no TLS */
  readonly tls?: ServerTls
  /** A TLS identity that the dialer refuses. Without it that is not checked. */
  readonly untrusted?: ServerTls
  /** What a dial to a port fails with on which nobody listens. @default DIAL */
  readonly refusedCode?: ProxyErrorCode
  /** What a dial to a name fails with that does not exist; `false`: somebody else resolves names. @default DNS */
  readonly unknownNameCode?: ProxyErrorCode | false
  /** How many dials at once must leave nothing behind. @default 100 */
  readonly dials?: number
  /** How long anything may take that should happen at once. @default 5_000 */
  readonly limitMs?: number
}
