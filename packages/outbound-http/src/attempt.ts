import type { Account } from './account.js'
import type { Server } from './server.js'

/** One try: on which server, with which account, and for how long at most (0 = no limit). */
export interface Attempt {
  readonly server: Server
  readonly account?: Account
  readonly limitMs: number
}
