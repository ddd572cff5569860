import { isProxyError, type InstanceEvents, type ProxyError, type ProxyErrorCode } from '@sluice/core'
import type { Attempt } from './attempt.js'
import type { Server } from './server.js'

const OWN_FAULTS: ReadonlySet<ProxyErrorCode> = new Set<ProxyErrorCode>(['DNS', 'DIAL', 'TLS', 'CERT', 'ALPN'])

/** Tells a server's health what an attempt showed, and the instance when a server goes down or comes back. */
export class HealthReport {
  readonly #events: InstanceEvents
  readonly #outboundTag: string

  constructor(events: InstanceEvents, outboundTag: string) {
    this.#events = events
    this.#outboundTag = outboundTag
  }

  succeeded({ server, account }: Attempt): void {
    account?.prove()
    this.#answered(server)
  }

  /** @param target The session's target, as `host:port`. @param startedAt When the attempt began, as `performance.now()` says it. */
  failed({ server, account }: Attempt, error: unknown, target: string, startedAt: number): void {
    // Another server may have failed on the way to this one, or this machine: that says nothing of this one and of its accounts.
    if (!isProxyError(error) || error.server !== server.name || error.side === 'internal') {
      server.health.release()
      return
    }
    if (error.code === 'AUTH') account?.refuse(error)
    if (isServersOwnFault(error)) this.#down(server, error, startedAt)
    else if (isUnanswered(error)) {
      server.health.release()
      if (server.health.unanswered(target)) this.#down(server, error, startedAt)
    } else {
      this.#answered(server)
      if (error.retryAfterMs !== undefined) server.health.rest(error.retryAfterMs)
    }
  }

  /** An attempt was broken off without a connection, for another server opened the tunnel meanwhile. */
  outrun({ server }: Attempt, error: ProxyError, startedAt: number): void {
    server.health.release()
    if (server.health.outrun()) this.#down(server, error, startedAt)
  }

  #answered({ name: server, health }: Server): void {
    if (health.answered()) this.#events.emit('server:up', { outboundTag: this.#outboundTag, server })
  }

  #down({ name: server, health }: Server, error: ProxyError, startedAt: number): void {
    const restMs = health.failed(error, startedAt)
    if (restMs !== undefined) this.#events.emit('server:down', { outboundTag: this.#outboundTag, server, error, restMs })
  }
}

/** Failures that no client can cause by its choice of target. */
function isServersOwnFault({ code, phase }: ProxyError): boolean {
  return OWN_FAULTS.has(code) || (code === 'TIMEOUT' && phase !== 'connect')
}

/** Failures that may be the target's: only a series of them counts. */
function isUnanswered({ code }: ProxyError): boolean {
  return code === 'CLOSED' || code === 'TIMEOUT'
}
