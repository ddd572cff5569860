import { accountFaults, accountsSchema, fault, type ClientAccount, type Fault, type ObjectSchema } from '@sluice/core'

/** Settings of a `socks` inbound, as v2ray has them. */
export interface SocksInboundSettings {
  /** `password`: only who sends one of `accounts` is let in, which takes SOCKS5. @default noauth */
  readonly auth?: 'noauth' | 'password'
  /** To be given with `"auth": "password"`, and only then. User and password are at most 255 bytes each (RFC 1929). @default [] */
  readonly accounts?: readonly ClientAccount[]
  /** Accepted and without effect: UDP ASSOCIATE is refused with REP 07. @default false */
  readonly udp?: boolean
  /** The address that v2ray tells to UDP clients; without effect. */
  readonly ip?: string
  /** The policy level of its sessions, and of the time that a client has for its request. @default 0 */
  readonly userLevel?: number
}

declare module '@sluice/core' {
  interface InboundSettings {
    socks: SocksInboundSettings
  }
}

export const socksInboundSchema: ObjectSchema<SocksInboundSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    auth: {
      type: 'string',
      enum: ['noauth', 'password'],
      description: 'Whether clients must send one of the accounts, which only SOCKS5 can',
      default: 'noauth',
    },
    accounts: accountsSchema,
    udp: { type: 'boolean', description: 'Without effect: UDP is not served', default: false },
    ip: { type: 'string', description: 'Without effect: UDP is not served' },
    userLevel: { type: 'integer', minimum: 0, description: 'Policy level of its sessions', default: 0 },
  },
}

const MAX_CREDENTIAL_BYTES = 255

/** What no schema can say about the settings. */
export function checkSettings({ auth = 'noauth', accounts = [], udp = false }: SocksInboundSettings): Fault[] {
  const faults = [...accountFaults(accounts), ...accounts.flatMap(lengthFaults)]
  if (auth === 'password' && accounts.length === 0) {
    faults.push(fault(['accounts'], 'must name somebody, or "auth": "password" lets nobody in'))
  }
  if (auth === 'noauth' && accounts.length > 0) {
    faults.push(fault(['auth'], 'is "noauth", so nobody would be asked for one of the accounts', { hint: 'set "auth": "password"' }))
  }
  if (udp) faults.push(fault(['udp'], 'is ignored: UDP is not served, and clients that ask for it are told so', { severity: 'warning' }))
  return faults
}

function lengthFaults({ user, pass }: ClientAccount, index: number): Fault[] {
  return Object.entries({ user, pass }).filter(([, text]) => Buffer.byteLength(text) > MAX_CREDENTIAL_BYTES).map(([key]) =>
    fault(['accounts', index, key], `must be at most ${MAX_CREDENTIAL_BYTES} bytes: SOCKS cannot carry more`))
}
