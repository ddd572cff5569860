import { formatEndpoint, tcp, type Destination } from '@sluice/core'
import { Account } from './account.js'
import { ServerHealth } from './server-health.js'
import type { HalfClose, ServerSettings } from './settings.js'

/** One upstream proxy of an outbound: what the config says of it, and what was learned since. */
export class Server {
  /** `host:port` */
  readonly name: string
  readonly destination: Destination
  readonly accounts: readonly Account[]
  readonly halfClose: HalfClose
  readonly health = new ServerHealth()

  constructor(settings: ServerSettings, halfClose: HalfClose) {
    this.destination = tcp(settings.address, Number(settings.port))
    this.name = formatEndpoint(this.destination)
    this.accounts = (settings.users ?? []).map((user) => new Account(user))
    this.halfClose = settings.halfClose ?? halfClose
  }

  /** The accounts that the server has not refused. */
  get usableAccounts(): readonly Account[] {
    return this.accounts.filter(({ refusal }) => refusal === undefined)
  }
}
