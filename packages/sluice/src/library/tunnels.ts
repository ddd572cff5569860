import { randomUUID } from 'node:crypto'
import {
  createInstance, OUTBOUND_MANAGER, tcp, type Connection, type Context, type Endpoint, type Instance,
} from '@sluice/core'
import { dial } from '../dial.js'
import { modules } from '../modules.js'
import { upstreamOutbounds, type Upstream } from './upstream.js'

/** Opens tunnels for a client in this program. */
export interface Tunnels {
  /**
   * Opens a tunnel, which belongs to the caller.
   * @throws {ProxyError} @throws `signal.reason` as it is.
   */
  open(target: Endpoint, signal: AbortSignal): Promise<Connection>
  /** Closes what outlives tunnels, and cuts those that share a connection with others. */
  close(): Promise<void>
}

/**
 * Tunnels of a started instance, whose rules and counters hold for them; or through an upstream, of which nothing is opened before
 * the first tunnel.
 */
export function createTunnels(upstream: Upstream | Instance): Tunnels {
  if (isInstance(upstream)) {
    return { open: (target, signal) => dial(upstream, target, { signal }), close: () => Promise.resolve() }
  }
  const instance = createInstance({ outbounds: upstreamOutbounds(upstream) }, { modules })
  const handler = instance.get(OUTBOUND_MANAGER).default
  let started: Promise<void> | undefined
  return {
    async open(target, signal) {
      started ??= instance.start()
      await started
      return handler?.connect === undefined ? dial(instance, target, { signal }) : handler.connect(sessionTo(target, signal))
    },
    async close() {
      await instance.stop({ drainMs: 0 })
    },
  }
}

function isInstance(upstream: Upstream | Instance): upstream is Instance {
  return typeof upstream === 'object' && 'dispatch' in upstream
}

/** A session of this program's own. */
export function sessionTo({ host, port }: Endpoint, signal: AbortSignal): Context {
  return {
    id: randomUUID(),
    target: tcp(host, port),
    inboundTag: '',
    signal,
    record: { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 },
  }
}
