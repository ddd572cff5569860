import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { rememberRaw } from '../../src/reset.js'
import { ProxyError, type Connection, type Destination, type Dialer, type DialOptions } from '@sluice/core'

/** A mistake that somebody may make in a dialer. */
export type DialerFault =
  | 'ignores the signal' | 'holds on to the signal' | 'ends with its peer' | 'no error listener' | 'raw errors' | 'resolves early'
  | 'loses an abort' | 'offers nothing' | 'trusts everybody'

export interface ReferenceDialerOptions {
  /** PEM of the CA that is trusted; absent: no TLS. */
  readonly ca?: string
  readonly fault?: DialerFault
}

/** A TCP and TLS dialer in its plainest form, right but for the fault that it is asked to have. */
export class ReferenceDialer implements Dialer {
  readonly #options: ReferenceDialerOptions

  constructor(options: ReferenceDialerOptions = {}) {
    this.#options = options
  }

  dial(to: Destination, { signal, alpn = ['h2', 'http/1.1'] }: DialOptions): Promise<Connection> {
    const { ca, fault } = this.#options
    return new Promise((resolve, reject) => {
      if (signal.aborted && fault !== 'ignores the signal') return reject(signal.reason)
      const allowHalfOpen = fault !== 'ends with its peer'
      const raw = connect({ host: to.host, port: to.port, allowHalfOpen, noDelay: true })
      const connection: Socket = ca === undefined
        ? raw
        : connectTls({
          socket: raw, ca, servername: 'localhost', rejectUnauthorized: fault !== 'trusts everybody',
          ...(fault === 'offers nothing' ? {} : { ALPNProtocols: [...alpn] }),
        })
      if (raw !== connection) rememberRaw(connection as TLSSocket, raw)
      const ready = ca === undefined ? 'connect' : 'secureConnect'
      const onReady = (): void => {
        done()
        if (fault !== 'no error listener') connection.on('error', () => {})
        resolve(connection)
      }
      const onError = (error: NodeJS.ErrnoException): void => {
        done()
        raw.destroy()
        connection.on('error', () => {})
        const code = codeOf(error, raw.bytesRead + raw.bytesWritten > 0)
        const named = new ProxyError(code, `Cannot dial: ${error.message}`, { cause: error })
        reject(fault === 'raw errors' ? error : named)
      }
      const onAbort = (): void => {
        done()
        if (fault !== 'loses an abort') raw.destroy()
        connection.on('error', () => {})
        reject(signal.reason)
      }
      const done = (): void => {
        connection.off(ready, onReady).off('error', onError)
        if (fault !== 'holds on to the signal') signal.removeEventListener('abort', onAbort)
        if (raw !== connection) raw.on('error', () => {})
      }
      connection.on(ready, onReady).on('error', onError)
      if (fault !== 'ignores the signal') signal.addEventListener('abort', onAbort)
      if (fault === 'resolves early') onReady()
    })
  }
}

function codeOf({ code = '' }: NodeJS.ErrnoException, wasConnected: boolean): 'DNS' | 'DIAL' | 'CERT' | 'TLS' {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'DNS'
  if (/CERT|UNABLE_TO_VERIFY|ALTNAME/.test(code)) return 'CERT'
  return wasConnected ? 'TLS' : 'DIAL'
}
