import { isIP } from 'node:net'
import { fault, type Endpoint, type Fault, type ObjectSchema } from '@sluice/core'

/** The section `control`: where a running program is watched and told what to do, over HTTP. */
export interface ControlSettings {
  /** `host:port`, the host an IP address or `localhost`; port 0: the kernel picks one. @default 127.0.0.1:9090 */
  readonly listen?: string
  /** What requests say as `Authorization: Bearer`. Needed on a public address. @default whoever is on this machine may ask */
  readonly secret?: string
}

declare module '@sluice/core' {
  interface FeatureSections { control: ControlSettings }
}

export const controlSchema: ObjectSchema<ControlSettings> = {
  type: 'object',
  description: 'Metrics, live sessions and reload over HTTP',
  additionalProperties: false,
  properties: {
    listen: { type: 'string', description: 'Where, as "host:port"; port 0: any free one', default: '127.0.0.1:9090' },
    secret: {
      type: 'string',
      description: 'What requests say as "Authorization: Bearer"; needed on a public address; at least 8 visible ASCII characters',
      writeOnly: true,
      minLength: 8,
      maxLength: 1_024,
      pattern: '^[!-~]*$',
    },
  },
}

const LISTEN = /^(?:\[([^\]]+)\]|([^:[\]]+)):(0|[1-9]\d{0,4})$/

/** @returns `undefined` for what is no address and port. */
export function parseListen(listen = '127.0.0.1:9090'): Endpoint | undefined {
  const match = LISTEN.exec(listen)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  return (isIP(host) !== 0 || host === 'localhost') && port <= 65_535 ? { host, port } : undefined
}

/** What the schema cannot say. */
export function checkControl({ listen, secret }: ControlSettings): Fault[] {
  const endpoint = parseListen(listen)
  if (endpoint === undefined) {
    return [fault(['listen'], `must be an IP address or "localhost", and a port, not "${listen}"`, { hint: 'as "127.0.0.1:9090"' })]
  }
  if (isLoopback(endpoint.host)) return []
  if (secret === undefined) {
    const hint = 'add a secret, or listen on 127.0.0.1'
    return [fault(['listen'], `would let anybody watch and cut sessions: ${endpoint.host} is public and there is no secret`, { hint })]
  }
  const message = `is public, and the secret goes there unencrypted`
  return [fault(['listen'], message, { severity: 'warning', hint: 'listen on 127.0.0.1 behind an SSH tunnel or a proxy with TLS' })]
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
