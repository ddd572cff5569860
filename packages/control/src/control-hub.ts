import type { Fault, InstanceEvents, LiveSession, LiveSessions, StatsManager } from '@sluice/core'
import { ProxyError } from '@sluice/core'
import { Registry } from 'prom-client'
import { ServerStates, type ServerState } from './server-states.js'
import { SessionMetrics } from './session-metrics.js'

/** What a hub must know of an instance. */
export interface WatchedInstance {
  readonly events: InstanceEvents
  readonly sessions: LiveSessions
  readonly stats: Pick<StatsManager, 'snapshot'>
}

/**
 * What control interfaces tell of and act on. Each has one of its own, unless `createControlFeature` is given one: then it follows
 * all instances that are made with that module, so that counters go on and old sessions stay in sight when a config replaces another.
 */
export class ControlHub {
  /** The metrics of what is followed here. */
  readonly registry = new Registry()
  /** What POST /reload does. @returns what there is to say about the new config. @throws {ConfigError} for one that cannot be used. */
  onReload: (() => Promise<readonly Fault[]>) | undefined
  /** The oldest first. */
  readonly #watched = new Map<WatchedInstance, ServerStates>()
  readonly #metrics = new SessionMetrics(this.registry, { sessions: () => this.sessions(), servers: () => this.servers() })

  /** @returns Ends it. */
  watch(instance: WatchedInstance): () => void {
    const servers = new ServerStates()
    const stops = [servers.follow(instance.events), this.#metrics.follow(instance.events)]
    this.#watched.set(instance, servers)
    return () => {
      this.#watched.delete(instance)
      for (const stop of stops) stop()
    }
  }

  /** The sessions that are alive. */
  sessions(): LiveSession[] {
    return [...this.#watched.keys()].flatMap(({ sessions }) => [...sessions])
  }

  /** Ends sessions as errors. @param id Of one; all if there is none. @returns how many there were. */
  cut(id?: string): number {
    const chosen = this.sessions().filter((session) => id === undefined || session.id === id)
    for (const session of chosen) {
      session.cancel(new ProxyError('ABORT', 'The session was closed by the control interface', { side: 'internal', phase: 'relay' }))
    }
    return chosen.length
  }

  /** The upstream proxies that were heard of; each once, as the newest instance knows it. */
  servers(): ServerState[] {
    const states = new Map<string, ServerState>()
    for (const servers of this.#watched.values()) {
      for (const state of servers) states.set(JSON.stringify([state.outbound, state.server]), state)
    }
    return [...states.values()]
  }

  /** The counters that configs ask for, summed over the instances that still live, by name. */
  counters(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>()
    for (const { stats } of this.#watched.keys()) {
      for (const [name, value] of stats.snapshot()) sums.set(name, (sums.get(name) ?? 0) + value)
    }
    return sums
  }
}
