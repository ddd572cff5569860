import type { InstanceEvents, OutboundHandler, OutboundManager } from '@sluice/core'
import { membersOf } from '../balancer/balancer.js'
import { healthOf, type Health, type Observatory } from './health.js'

/** Time as a prober sees it. */
export interface ProbeClock {
  /** Milliseconds; never goes back. */
  now(): number
  /** @returns Calls it off. */
  after(ms: number, run: () => void): () => void
}

/** How, how often and how many outbounds are probed. */
export interface ProberOptions {
  /** Beginnings of tags. */
  readonly selector: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  /** How many of the latest probes count. */
  readonly samples: number
  /** All at once, or one after the other. */
  readonly concurrent: boolean
  readonly probe: (handler: OutboundHandler, signal: AbortSignal) => Promise<void>
  /** @default the system's, which does not keep the process alive */
  readonly clock?: ProbeClock
}

const SYSTEM_CLOCK: ProbeClock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}

/** Probes outbounds in rounds, from the start of the instance to its end, with a pause between them. */
export class Prober implements Observatory {
  readonly #options: ProberOptions
  readonly #outbounds: OutboundManager
  readonly #events: InstanceEvents
  readonly #clock: ProbeClock
  readonly #rtts = new Map<string, (number | undefined)[]>()
  readonly #health = new Map<string, Health>()
  readonly #controller = new AbortController()
  #callOff: () => void = () => {}
  #round: Promise<void> = Promise.resolve()

  constructor(options: ProberOptions, outbounds: OutboundManager, events: InstanceEvents) {
    this.#options = options
    this.#outbounds = outbounds
    this.#events = events
    this.#clock = options.clock ?? SYSTEM_CLOCK
  }

  health(tag: string): Health | undefined {
    return this.#health.get(tag)
  }

  /** Returns at once: sessions that come before the first answers find nothing known. */
  start(): void {
    // Outbounds start after features; a timer of 0 waits for them.
    this.#callOff = this.#clock.after(0, this.#next)
  }

  /** Resolves when no probe is under way. */
  async close(): Promise<void> {
    this.#callOff()
    this.#controller.abort(new Error('The proxy stops'))
    await this.#round
  }

  readonly #next = (): void => {
    this.#round = this.#probeAll()
  }

  async #probeAll(): Promise<void> {
    const handlers = membersOf(this.#options.selector, this.#outbounds.tags).flatMap((tag) => this.#outbounds.get(tag) ?? [])
    if (this.#options.concurrent) await Promise.all(handlers.map((handler) => this.#probeOne(handler)))
    else for (const handler of handlers) await this.#probeOne(handler)
    if (!this.#controller.signal.aborted) this.#callOff = this.#clock.after(this.#options.intervalMs, this.#next)
  }

  async #probeOne(handler: OutboundHandler): Promise<void> {
    const { probe, timeoutMs, samples } = this.#options
    const { signal: closing } = this.#controller
    if (closing.aborted) return
    const limit = new AbortController()
    const follow = (): void => limit.abort(closing.reason)
    closing.addEventListener('abort', follow)
    const callOff = this.#clock.after(timeoutMs, () => limit.abort(new Error(`There was no answer within ${timeoutMs} ms`)))
    const startedAt = this.#clock.now()
    let failure: unknown
    try {
      await probe(handler, limit.signal)
    } catch (error) {
      failure = error
    } finally {
      callOff()
      closing.removeEventListener('abort', follow)
    }
    if (closing.aborted) return
    const rtts = [...this.#rtts.get(handler.tag) ?? [], failure === undefined ? this.#clock.now() - startedAt : undefined].slice(-samples)
    this.#rtts.set(handler.tag, rtts)
    this.#tell(handler.tag, healthOf(rtts), failure)
  }

  /** Told once when it changes, not at each probe. */
  #tell(tag: string, health: Health, error: unknown): void {
    const wasAlive = this.#health.get(tag)?.alive
    this.#health.set(tag, health)
    if (wasAlive === health.alive) return
    if (health.alive) this.#events.log('info', `Outbound "${tag}" answers probes after ${Math.round(health.rttMs)} ms`)
    else this.#events.log('warning', `Outbound "${tag}" answers no probes: ${(error as Error).message}`, { error })
  }
}
