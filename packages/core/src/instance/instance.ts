import type { Config } from '../config/config.js'
import type { Context } from '../contracts/context.js'
import type { SessionRequest } from '../contracts/inbound.js'
import type { Link } from '../contracts/link.js'
import type { Module } from '../definition/define.js'
import { Registry } from '../definition/registry.js'
import type { Token } from '../di.js'
import { ProxyError } from '../errors/proxy-error.js'
import type { Fault } from '../errors/config-error.js'
import type { InstanceEvents } from '../events.js'
import { build, type Parts } from './build.js'
import type { Listening } from './inbound-handler.js'
import { Lifecycle } from './lifecycle.js'

/** What an instance is built of beside its config; modules are values, which any number of instances may share. */
export interface InstanceOptions {
  /** What the config may name, and what serves it. */
  readonly modules: readonly Module[]
}

/** How patient `stop()` is; a further call may only shorten what is left. */
export interface StopOptions {
  /** How long sessions may go on. @default 10_000 */
  readonly drainMs?: number
}

const DEFAULT_DRAIN_MS = 10_000
/** How long sessions may take to end once they were cut, before their connections are closed under them. */
const CUT_MS = 1_000
/** Longer timers fire at once in Node. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Checks a config and builds an instance from it; nothing is opened before `start()`.
 *
 * @throws {ConfigError} with every fault at once.
 * @throws {TypeError} for modules that cannot stand beside each other.
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { transport } from '@sluice/transport'
 *
 * await using instance = createInstance({}, { modules: [transport] })
 * await instance.start()
 * ```
 */
export function createInstance(config: Config, { modules }: InstanceOptions): Instance {
  return new Instance(build(config, new Registry(modules)))
}

/** One running config. Two instances in a process share nothing. */
export class Instance implements AsyncDisposable {
  readonly events: InstanceEvents
  /** Warnings and notices about the config. */
  readonly remarks: readonly Fault[]
  readonly #parts: Parts
  readonly #lifecycle = new Lifecycle()
  #stopping: Promise<{ cut: number }> | undefined
  #cutNow: () => void = () => {}
  #cutTimer: NodeJS.Timeout | undefined
  #cutAt = Number.POSITIVE_INFINITY

  /** @internal `createInstance` makes them. */
  constructor(parts: Parts) {
    this.#parts = parts
    this.events = parts.events
    this.remarks = parts.remarks
  }

  /** Where the inbounds listen. */
  get listening(): readonly Listening[] {
    return this.#parts.inbounds.map(({ listening }) => listening).filter((where) => where !== undefined)
  }

  /** The sessions that are alive. */
  connections(): readonly Context[] {
    return [...this.#parts.sessions]
  }

  /**
   * Carries a session of the program's own, as if an inbound had accepted it.
   * @throws {ProxyError} if it did not open. Once it opened, its end is told by events only.
   */
  dispatch(request: SessionRequest, link: Link): Promise<void> {
    return this.#parts.dispatcher.dispatch({ inboundTag: '' }, request, link)
  }

  /** A feature by its token, as `STATS_MANAGER`. @throws {Error} if no module provides it. */
  get<T>(token: Token<T>): T {
    return this.#parts.scope.get(token)
  }

  /**
   * Starts features, outbounds and inbounds, in this order. If one fails, or `stop()` is called meanwhile, what had started is
   * closed again and the error thrown. An instance starts once.
   */
  async start(): Promise<void> {
    const { features, outbounds, inbounds } = this.#parts
    await this.#lifecycle.start([...features, ...outbounds, ...inbounds])
  }

  /**
   * Accepts no more, waits for the sessions that are alive, cancels those that outlast `drainMs`, and closes everything in
   * reverse order. Asked again while it waits, it may only be hurried: the shorter limit counts.
   *
   * @returns how many sessions were cut.
   */
  stop({ drainMs = DEFAULT_DRAIN_MS }: StopOptions = {}): Promise<{ cut: number }> {
    if (this.#stopping === undefined) this.#stopping = this.#stop(drainMs)
    else this.#hurry(drainMs)
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(drainMs: number): Promise<{ cut: number }> {
    const { inbounds, sessions } = this.#parts
    const halted = this.#lifecycle.halt()
    for (const inbound of inbounds) inbound.drain()
    const over = new Promise<void>((resolve) => {
      this.#cutNow = resolve
    })
    this.#hurry(drainMs)
    await halted
    await Promise.race([sessions.empty(), over])
    clearTimeout(this.#cutTimer)
    const cut = sessions.cut(new ProxyError('ABORT', 'The proxy stops', { side: 'internal', phase: 'relay' }))
    await this.#ended()
    await this.#lifecycle.stop()
    return { cut }
  }

  /** Waits for the sessions that were cut, and not for ever: an outbound that ignores the signal must not keep the rest open. */
  async #ended(): Promise<void> {
    const { sessions, events } = this.#parts
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CUT_MS)
    })
    await Promise.race([sessions.empty(), patience])
    clearTimeout(timer)
    if (sessions.size > 0) events.log('error', `Sessions that did not end when they were cut: ${sessions.size}`)
  }

  /** Moves the cut forward, never back. */
  #hurry(drainMs: number): void {
    const at = performance.now() + drainMs
    if (at >= this.#cutAt) return
    this.#cutAt = at
    clearTimeout(this.#cutTimer)
    if (drainMs > 0) this.#cutTimer = setTimeout(this.#cutNow, Math.min(drainMs, MAX_TIMER_MS))
    else this.#cutNow()
  }
}
