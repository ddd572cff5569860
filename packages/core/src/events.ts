import { EventEmitter } from 'eventemitter3'
import type { Context } from './contracts/context.js'
import type { ProxyError } from './errors/proxy-error.js'

/** How grave a log entry is, the least first: a session that fails unopened is a `warning`, one that is cut later `info`. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

/** One line of the log before it is text, made only while somebody listens for it; no `message` holds a credential. */
export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** The session concerned. */
  readonly session?: Context
  readonly error?: unknown
}

/** A server that rests after failures: sessions go to others as long as there are any. */
export interface ServerDown {
  readonly outboundTag: string
  readonly server: string
  readonly error: ProxyError
  readonly restMs: number
}

/** What an instance tells: name of the event → its arguments. */
export interface InstanceEventMap {
  /** A session was routed; nothing is dialled yet. */
  'session:open': [session: Context]
  /** The tunnel is open and the client was told so. */
  'session:established': [session: Context]
  /** The session ended; its record is complete. Once per session, also of one that could not be routed and so was never opened. */
  'session:close': [session: Context]
  'server:down': [event: ServerDown]
  'server:up': [event: { readonly outboundTag: string; readonly server: string }]
  log: [entry: LogEntry]
}

/** The name of an event, a key of {@link InstanceEventMap}. */
export type InstanceEventName = keyof InstanceEventMap

/**
 * The events of one instance. Emitted outside the data path and guarded: a listener that throws or rejects harms nobody, the other
 * listeners included, and its error is logged.
 */
export class InstanceEvents {
  readonly #emitter = new EventEmitter<InstanceEventMap>()

  /** @returns Removes the listener. */
  on<Name extends InstanceEventName>(name: Name, listener: (...values: InstanceEventMap[Name]) => unknown): () => void {
    const guarded = (...values: InstanceEventMap[Name]): void => {
      try {
        const result = listener(...values)
        if (result instanceof Promise) result.catch((error: unknown) => this.#tell(name, error))
      } catch (error) {
        this.#tell(name, error)
      }
    }
    // eventemitter3 cannot see that the listener's arguments are those of a name that is still generic here.
    const untyped = guarded as never
    this.#emitter.on(name, untyped)
    return () => void this.#emitter.off(name, untyped)
  }

  /** Whether somebody listens: ask before building a costly entry. */
  has(name: InstanceEventName): boolean {
    return this.#emitter.listenerCount(name) > 0
  }

  emit<Name extends InstanceEventName>(name: Name, ...values: InstanceEventMap[Name]): void {
    ;(this.#emitter.emit as (name: string, ...values: unknown[]) => boolean).call(this.#emitter, name, ...values)
  }

  log(level: LogLevel, message: string, details: { readonly session?: Context; readonly error?: unknown } = {}): void {
    if (this.has('log')) this.emit('log', { level, message, ...details })
  }

  #tell(name: InstanceEventName, error: unknown): void {
    // A broken log listener cannot be told of itself.
    if (name !== 'log') this.log('error', `A listener for ${name} threw`, { error })
  }
}
