import { Secret, type ProxyError } from '@sluice/core'
import type { AccountSettings } from './settings.js'

/** An account on a server, and what that server said of it. */
export class Account {
  readonly level: number
  /** Value of `Proxy-Authorization` (RFC 7617 §2, UTF-8). */
  readonly credentials: Secret
  #proven = false
  #refusal: ProxyError | undefined

  constructor({ user, pass = '', level = 0 }: AccountSettings) {
    this.level = level
    this.credentials = new Secret(`Basic ${Buffer.from(`${user}:${pass}`, 'utf8').toString('base64')}`)
  }

  /** The server's last word on these credentials: while it stands they are not sent again, for many servers lock accounts. */
  get refusal(): ProxyError | undefined {
    return this.#refusal
  }

  /** The server let them in. A refusal after that is the target's, as proxies answer 407 for what an account may not visit. */
  prove(): void {
    this.#proven = true
    this.#refusal = undefined
  }

  refuse(error: ProxyError): void {
    if (!this.#proven) this.#refusal = error
  }
}
