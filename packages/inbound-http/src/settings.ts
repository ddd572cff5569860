import { accountFaults, accountsSchema, fault, type ClientAccount, type Fault, type ObjectSchema } from '@sluice/core'

/** Settings of an `http` inbound, as v2ray has them. */
export interface HttpInboundSettings {
  /** With accounts, only who sends one of them (Basic, RFC 7617) is let in. A user must not hold a colon. @default [] */
  readonly accounts?: readonly ClientAccount[]
  /** Take requests in origin-form too, whose target is their `Host`: clients that do not know of the proxy send them. @default false */
  readonly allowTransparent?: boolean
  /** The policy level of its sessions, and of the time that a client has for its request. @default 0 */
  readonly userLevel?: number
  /** Seconds. Accepted and without effect: the policy's `connIdle` rules. */
  readonly timeout?: number
}

declare module '@sluice/core' {
  interface InboundSettings {
    http: HttpInboundSettings
  }
}

export const httpInboundSchema: ObjectSchema<HttpInboundSettings> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    accounts: accountsSchema,
    allowTransparent: { type: 'boolean', description: 'Take requests in origin-form, whose target is their Host', default: false },
    userLevel: { type: 'integer', minimum: 0, description: 'Policy level of its sessions', default: 0 },
    timeout: { type: 'number', minimum: 0, description: 'Seconds; without effect: "connIdle" of the policy rules' },
  },
}

/** What no schema can say about the settings. */
export function checkSettings({ accounts = [], timeout }: HttpInboundSettings): Fault[] {
  const faults = [...accountFaults(accounts), ...accounts.flatMap(colonFaults)]
  if (timeout !== undefined) faults.push(fault(['timeout'], 'is ignored', { severity: 'warning', hint: 'set "connIdle" in the policy' }))
  return faults
}

function colonFaults({ user }: ClientAccount, index: number): Fault[] {
  if (!user.includes(':')) return []
  return [fault(['accounts', index, 'user'], 'must not contain ":"', { hint: 'the password goes into "pass"' })]
}
