import { ControlHub, createControlFeature } from '@sluice/control'
import {
  STATS_MANAGER, type Context, type Fault, type Instance, type InstanceEventMap, type InstanceEventName, type Listening, type Module,
  type OutboundConfig, type StopOptions,
} from '@sluice/core'
import { modules } from '../modules.js'
import { withRequestHook, type RequestHook } from './hook-router.js'
import { ListenerHandover } from './listener-handover.js'
import { SessionTotals, type ProxyStats } from './session-totals.js'

/** An instance of a config, and what there is to say about the latter. */
export interface Loaded {
  readonly instance: Instance
  readonly remarks: readonly Fault[]
}

/** Reads a config and makes an instance of it, with these outbounds after its own. @throws {ConfigError} */
export type Load = (modules: readonly Module[], outbounds: readonly OutboundConfig[]) => Promise<Loaded>

export interface ProxyOptions {
  /** Chooses outbound, upstream or refusal for each session. @default the config's rules alone */
  readonly onRequest?: RequestHook
  /** Stops the proxy at once when it aborts. @default never */
  readonly signal?: AbortSignal
}

type Attach = (instance: Instance) => () => void

/** A proxy whose config can be replaced while it runs. `createProxy` makes them. */
export class Proxy implements AsyncDisposable {
  #load: Load
  readonly #options: ProxyOptions
  readonly #handover = new ListenerHandover()
  /** Outlives each config, so that counters go on and old sessions stay in sight. */
  readonly #control = new ControlHub()
  readonly #totals = new SessionTotals()
  readonly #listeners = new Set<Attach>()
  #current: Instance | undefined
  /** Those before it whose sessions still run. */
  readonly #draining = new Set<Instance>()
  #reloading: Promise<unknown> = Promise.resolve()
  #stopping = false

  /** @internal `createProxy` makes them. */
  constructor(load: Load, options: ProxyOptions = {}) {
    this.#load = load
    this.#options = options
    this.#listeners.add((instance) => this.#totals.follow(instance))
    this.#control.onReload = () => this.reload()
  }

  /** Where it listens. */
  get listening(): readonly Listening[] {
    return this.#current?.listening ?? []
  }

  /** What runs now; a reload puts another in its place. `undefined` before the start. */
  get instance(): Instance | undefined {
    return this.#current
  }

  /**
   * Reads the config and starts to listen.
   * @returns warnings and notices about the config.
   * @throws {ConfigError} with every fault at once. @throws what `listen(2)` says; nothing stays open then.
   */
  async start(): Promise<readonly Fault[]> {
    const { signal } = this.#options
    signal?.throwIfAborted()
    if (this.#current !== undefined) throw new Error('Cannot start a proxy twice: create another')
    const { instance, remarks } = await this.#build()
    await instance.start()
    this.#handover.commit()
    this.#current = instance
    signal?.addEventListener('abort', this.#cut, { once: true })
    return remarks
  }

  /**
   * Reads the config again and lets it take over: sockets that listen in the same way stay bound, open tunnels live on as they are,
   * new sessions go by the new config. When anything is wrong with that, everything stays as it was.
   *
   * @param load In place of what was read before.
   * @returns warnings and notices about the new config.
   * @throws {ConfigError} @throws what `listen(2)` says. The old config then serves on.
   */
  reload(load: Load = this.#load): Promise<readonly Fault[]> {
    const reloaded = this.#reloading.then(() => this.#reload(load))
    this.#reloading = reloaded.catch(() => {})
    return reloaded
  }

  /** Accepts no more and waits for sessions, also those of configs before. @returns how many were cut, by default after 10 s. */
  async stop(options: StopOptions = {}): Promise<{ cut: number }> {
    this.#stopping = true
    this.#options.signal?.removeEventListener('abort', this.#cut)
    // A second call must not wait behind the first.
    if (this.#current === undefined) await this.#reloading
    const all = [...this.#draining, ...(this.#current === undefined ? [] : [this.#current])]
    const results = await Promise.all(all.map((instance) => instance.stop(options)))
    return { cut: results.reduce((sum, { cut }) => sum + cut, 0) }
  }

  /** Sessions, bytes and failures since the start, whatever was reloaded meanwhile, and the counters of what runs now. */
  stats(): ProxyStats {
    return this.#totals.stats(this.connections(), this.#current?.get(STATS_MANAGER).snapshot() ?? new Map())
  }

  /** The sessions that are alive. */
  connections(): readonly Context[] {
    return [...this.#draining, ...(this.#current === undefined ? [] : [this.#current])].flatMap((instance) => instance.connections())
  }

  /** Listens to what happens, before and after a reload. @returns Removes the listener. */
  on<Name extends InstanceEventName>(name: Name, listener: (...values: InstanceEventMap[Name]) => unknown): () => void {
    const stops: (() => void)[] = []
    const attach: Attach = (instance) => {
      const stop = instance.events.on(name, listener)
      stops.push(stop)
      return stop
    }
    this.#listeners.add(attach)
    for (const instance of [...this.#draining, ...(this.#current === undefined ? [] : [this.#current])]) attach(instance)
    return () => {
      this.#listeners.delete(attach)
      for (const stop of stops) stop()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #build(): Promise<Loaded> {
    const shipped = modules.map((module) => this.#own(module))
    const { onRequest } = this.#options
    const { modules: all, outbounds } = onRequest === undefined ? { modules: shipped, outbounds: [] } : withRequestHook(shipped, onRequest)
    const loaded = await this.#load(all, outbounds)
    for (const attach of this.#listeners) attach(loaded.instance)
    return loaded
  }

  /** What a module is for a proxy whose configs replace each other. */
  #own(module: Module): Module {
    if (module.kind === 'transport') return this.#handover.transportFor(module)
    return module.kind === 'feature' && module.section === 'control' ? createControlFeature({ hub: this.#control }) : module
  }

  async #reload(load: Load): Promise<readonly Fault[]> {
    const old = this.#current
    if (old === undefined || this.#stopping) throw new Error('Cannot reload a proxy that does not run')
    const before = this.#load
    this.#load = load
    try {
      const { instance, remarks } = await this.#build()
      await this.#replace(old, instance)
      return remarks
    } catch (error) {
      this.#load = before
      throw error
    }
  }

  async #replace(old: Instance, next: Instance): Promise<void> {
    const listenAgain = this.#handover.release()
    try {
      await next.start()
    } catch (error) {
      await listenAgain()
      throw error
    }
    this.#handover.commit()
    this.#current = next
    this.#draining.add(old)
    const drained = old.stop({ drainMs: Number.POSITIVE_INFINITY })
    drained.catch((error: unknown) => next.events.log('error', 'The config before did not close in order', { error }))
      .finally(() => this.#draining.delete(old))
  }

  readonly #cut = (): void => {
    this.stop({ drainMs: 0 }).catch((error: unknown) => this.#current?.events.log('error', 'The proxy did not stop in order', { error }))
  }
}
