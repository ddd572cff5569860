import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { rememberRaw } from '../reset.js'
import { ProxyError, type Connection, type Destination, type Dialer, type DialOptions } from '@sluice/core'

/** The mistakes that {@link brokenDialer} can make, each of which `dialerCompliance` notices. */
export const DIALER_FAULTS = [
  'ignores the signal', 'holds on to the signal', 'loses an abort', 'resolves early', 'ends with its peer', 'no error listener',
  'raw errors', 'offers nothing', 'trusts everybody', 'shares connections', 'leaks with time',
] as const

/** One of {@link DIALER_FAULTS}. */
export type DialerFault = typeof DIALER_FAULTS[number]

export interface BrokenDialerOptions {
  /** PEM of the CA that is trusted. @default no TLS is spoken */
  readonly ca?: string | undefined
  /** What it does wrong. @default nothing */
  readonly fault?: DialerFault | undefined
}

/**
 * A TCP or TLS dialer that makes one mistake, as {@link brokenOutbound} does.
 *
 * @example
 * ```ts
 * import { brokenDialer } from '@sluice/testkit'
 *
 * const dialer = brokenDialer({ fault: 'holds on to the signal' })
 * ```
 */
export function brokenDialer(options: BrokenDialerOptions = {}): Dialer {
  return new BrokenDialer(options)
}

/** Often enough for a suite that dials many times, and too seldom for one that dials a few. */
const LEAK_EVERY = 50

class BrokenDialer implements Dialer {
  readonly #options: BrokenDialerOptions
  readonly #last = new Map<number, Connection>()
  #dials = 0

  constructor(options: BrokenDialerOptions) {
    this.#options = options
  }

  dial(to: Destination, { signal, alpn = ['h2', 'http/1.1'] }: DialOptions): Promise<Connection> {
    const { ca, fault } = this.#options
    return new Promise((resolve, reject) => {
      if (signal.aborted && fault !== 'ignores the signal') return reject(signal.reason)
      const last = this.#last.get(to.port)
      if (fault === 'shares connections' && last?.destroyed === false) return resolve(last)
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
        if (fault === 'leaks with time' && ++this.#dials % LEAK_EVERY === 0) setTimeout(() => {}, 60_000)
        this.#last.set(to.port, connection)
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
