import { statSync } from 'node:fs'
import {
  EVENTS, inject, injectable,
  type InstanceEvents, type Listener, type ListenerFactory, type ListenerSpec, type TransportDefinition,
} from '@sluice/core'
import { HandoverListener, type BoundListener } from './handover-listener.js'

/**
 * Lets one instance take listening sockets over from the one before it, so that a reload refuses nobody: what both configs listen on
 * in the same way stays bound, and its next connection goes to the new one.
 */
export class ListenerHandover {
  readonly #bound = new Map<string, BoundListener>()
  /** Of the instance that was built last. */
  #latest = new Map<string, HandoverListener>()

  /** The transport for the next instance that is built. */
  transportFor(base: TransportDefinition): TransportDefinition {
    const latest = new Map<string, HandoverListener>()
    this.#latest = latest
    const make = (inner: Listener, spec: ListenerSpec): Listener => {
      const key = keyOf(spec, latest)
      const listener = new HandoverListener(key, inner, this.#bound)
      latest.set(key, listener)
      return listener
    }
    @injectable()
    class HandoverListenerFactory implements ListenerFactory {
      readonly #inner: ListenerFactory

      constructor(@inject(EVENTS) events: InstanceEvents) {
        this.#inner = new base.listeners(events as never)
      }

      create(spec: ListenerSpec): Listener {
        return make(this.#inner.create(spec), spec)
      }
    }
    return { ...base, listeners: HandoverListenerFactory }
  }

  /**
   * Stops listening where the instance that was built last does not, for it may want the same port in another way.
   * @returns Listens there again.
   */
  release(): () => Promise<void> {
    const released = [...this.#bound].filter(([key]) => !this.#latest.has(key))
    for (const [key, { listener }] of released) {
      this.#bound.delete(key)
      listener.stop()
    }
    return async () => {
      for (const [key, bound] of released) {
        await bound.listener.start((connection) => bound.owner.accept(connection))
        this.#bound.set(key, bound)
      }
    }
  }

  /** The instance that was built last has started: what it took over is its own. */
  commit(): void {
    for (const listener of this.#latest.values()) listener.commit()
  }
}

/** What makes two listeners the same. Several that are alike in one config are told apart by their order. */
function keyOf(spec: ListenerSpec, known: ReadonlyMap<string, unknown>): string {
  const files = (spec.stream.tlsSettings?.certificates ?? []).flatMap(({ certificateFile, keyFile }) => [certificateFile, keyFile])
  const text = JSON.stringify([spec, files.map(versionOf)])
  for (let count = 0; ; count++) {
    const key = `${count} ${text}`
    if (!known.has(key)) return key
  }
}

/** A certificate may be renewed under its name. */
function versionOf(file: string | undefined): unknown {
  const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? undefined : [stat.mtimeMs, stat.size, stat.ino]
}
