import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { JsonSchema } from './definition/json-schema.js'
import { fault, type Fault } from './errors/config-error.js'

/** An account of an inbound: who sends it is let in. */
export interface ClientAccount {
  /** Also the user's name in rules, logs and counters. */
  readonly user: string
  readonly pass: string
}

/** The schema of an inbound's `accounts`. */
export const accountsSchema: JsonSchema = {
  type: 'array',
  description: 'Who is let in; without accounts everybody is',
  default: [],
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['user', 'pass'],
    properties: {
      user: { type: 'string', minLength: 1, description: 'User name, also in rules, logs and counters' },
      pass: { type: 'string', description: 'Password', writeOnly: true },
    },
  },
}

/** The faults of a list of accounts that its schema cannot express. Paths start at the settings that hold `accounts`. */
export function accountFaults(accounts: readonly ClientAccount[]): Fault[] {
  const seen = new Set<string>()
  return accounts.flatMap(({ user }, index) => {
    if (seen.has(user)) return [fault(['accounts', index, 'user'], `is the name of two accounts: "${user}"`)]
    seen.add(user)
    return []
  })
}

/**
 * The accounts of an inbound. Passwords are kept as digests only.
 *
 * `verify` takes the same time for a wrong password as for an unknown user, and tells nothing of the length of either.
 */
export class Accounts {
  readonly #passDigests = new Map<string, Buffer>()
  /** What an unknown user's password is compared with. */
  readonly #nobody = randomBytes(32)

  constructor(list: readonly ClientAccount[]) {
    for (const { user, pass } of list) this.#passDigests.set(nameOf(user), digest(pass))
  }

  verify(user: string, pass: string): boolean {
    const known = this.#passDigests.get(nameOf(user))
    const equal = timingSafeEqual(digest(pass), known ?? this.#nobody)
    return equal && known !== undefined
  }
}

/** A key of fixed length, so that looking it up takes the same time whatever was sent. */
function nameOf(user: string): string {
  return digest(user).toString('latin1')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
