import { Accounts, type ClientAccount } from './accounts.js'
import type { Endpoint } from './contracts/destination.js'
import { printable } from './errors/printable.js'
import type { InstanceEvents } from './events.js'
import { LoginThrottle, type LoginResult } from './login-throttle.js'

/**
 * How an inbound lets clients in: its accounts, and a throttle for those that guess. The log is told when a source begins to be refused.
 *
 * @example
 * ```ts
 * import { ClientLogins, InstanceEvents } from '@sluice/core'
 *
 * const logins = new ClientLogins([{ user: 'me', pass: 'secret' }], 'socks-in', new InstanceEvents())
 * console.log(logins.attempt('192.0.2.1', 'me', 'secret')) // accepted
 * ```
 */
export class ClientLogins {
  readonly #accounts: Accounts
  readonly #throttle: LoginThrottle

  constructor(accounts: readonly ClientAccount[], tag: string, events: InstanceEvents) {
    this.#accounts = new Accounts(accounts)
    this.#throttle = new LoginThrottle({
      onThrottled: (source) => {
        const message = `Inbound "${tag}" refuses all log-ins from ${printable(source)} for the rest of the minute: too many were wrong`
        events.log('warning', message)
      },
    })
  }

  /** @param source The client's address. */
  attempt(source: Endpoint['host'] | undefined, user: string, pass: string): LoginResult {
    return this.#throttle.attempt(source, () => this.#accounts.verify(user, pass))
  }
}
