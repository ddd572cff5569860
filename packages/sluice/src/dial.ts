import { tcp, type Connection, type Endpoint, type Instance, type User } from '@sluice/core'
import { connectionPair, SocketLink } from '@sluice/transport'

export interface DialOptions {
  /** Breaks the dial off; once the tunnel is open it has no effect. @default never */
  readonly signal?: AbortSignal
  /** On whose behalf, for rules and counters. @default nobody */
  readonly user?: User
}

/**
 * Opens a tunnel through a started instance: its rules choose the outbound, and it counts and logs the session like any other.
 * The connection belongs to the caller, who ends it; what is still open when the instance stops is cut.
 *
 * @throws {ProxyError} as `docs/errors.md` has them. @throws `signal.reason` as it is.
 * @example
 * ```ts
 * import { createInstance, dial, modules } from 'sluice'
 *
 * await using instance = createInstance({ outbounds: [{ protocol: 'freedom' }] }, { modules })
 * await instance.start()
 * const connection = await dial(instance, { host: 'example.com', port: 80 })
 * connection.end('GET / HTTP/1.0\r\n\r\n')
 * ```
 */
export function dial(instance: Instance, target: Endpoint, { signal, user }: DialOptions = {}): Promise<Connection> {
  const [near, far] = connectionPair()
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      near.destroy(signal?.reason as Error)
      reject(signal?.reason as Error)
    }
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => signal?.removeEventListener('abort', onAbort)
    const link = new SocketLink(far, () => {
      settle()
      resolve(near)
    })
    instance.dispatch({ target: tcp(target.host, target.port), ...(user && { user }) }, link).catch((error: unknown) => {
      settle()
      near.destroy()
      far.destroy()
      reject(error as Error)
    })
  })
}
