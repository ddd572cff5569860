import {
  createInstance, EVENTS, OUTBOUND_MANAGER, ProxyError,
  type Context, type Instance, type InstanceEvents, type Link, type Module, type Outbound, type OutboundHandler,
} from '@sluice/core'
import { modules } from '../modules.js'
import { upstreamOutbounds, type Upstream } from './upstream.js'

/** Under which tag sessions of upstreams that a hook named are recorded. */
export const UPSTREAM_TAG = 'onRequest'
const PROTOCOL = 'onRequest'
const MAX_UPSTREAMS = 256

interface Entry {
  readonly instance: Instance
  readonly handler: OutboundHandler
  readonly started: Promise<void>
  /** Sessions under way. */
  open: number
  evicted: boolean
}

/** The upstreams that a hook named: each made at its first session, the 256 last used kept with their connections. */
export class HookedUpstreams {
  readonly #chosen = new WeakMap<Context, Upstream>()
  /** By what was named; the least recently used first. */
  readonly #entries = new Map<string, Entry>()

  /** Carries the sessions for which `choose` was called. */
  readonly outbound: Module = {
    kind: 'outbound',
    protocol: PROTOCOL,
    schema: { type: 'object', additionalProperties: false },
    create: (_settings, resolve): Outbound => {
      const events = resolve(EVENTS)
      return { process: (session, link) => this.#process(session, link, events), close: () => this.#close() }
    },
  }

  /** What a config must have among its outbounds. */
  static readonly config = { tag: UPSTREAM_TAG, protocol: PROTOCOL } as const

  choose(session: Context, upstream: Upstream): void {
    this.#chosen.set(session, upstream)
  }

  async #process(session: Context, link: Link, events: InstanceEvents): Promise<void> {
    const upstream = this.#chosen.get(session)
    if (upstream === undefined) throw new ProxyError('INTERNAL', 'No upstream was chosen for the session', { side: 'internal' })
    const entry = this.#take(upstream, events)
    entry.open++
    try {
      await entry.started
      await entry.handler.process(session, link)
    } finally {
      entry.open--
      if (entry.evicted && entry.open === 0) await entry.instance.stop({ drainMs: 0 })
    }
  }

  #take(upstream: Upstream, events: InstanceEvents): Entry {
    const key = JSON.stringify(upstream)
    const known = this.#entries.get(key)
    const entry = known ?? start(upstream, events)
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (known === undefined) this.#evict()
    return entry
  }

  /** Sessions of one that is evicted go on; it is closed behind the last of them. */
  #evict(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= MAX_UPSTREAMS) return
      this.#entries.delete(key)
      entry.evicted = true
      if (entry.open === 0) void entry.instance.stop({ drainMs: 0 })
    }
  }

  async #close(): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.all(entries.map(({ instance }) => instance.stop({ drainMs: 0 })))
  }
}

/** @throws {Error} for an upstream that cannot be used, which fails the session that wanted it. */
function start(upstream: Upstream, events: InstanceEvents): Entry {
  const instance = createInstance({ outbounds: upstreamOutbounds(upstream) }, { modules })
  const handler = instance.get(OUTBOUND_MANAGER).default
  if (handler === undefined) throw new ProxyError('INTERNAL', 'The upstream has no outbound', { side: 'internal' })
  const { events: own } = instance
  own.on('server:down', (event) => events.emit('server:down', event))
  own.on('server:up', (event) => events.emit('server:up', event))
  own.on('log', (entry) => events.emit('log', entry))
  return { instance, handler, started: instance.start(), open: 0, evicted: false }
}
