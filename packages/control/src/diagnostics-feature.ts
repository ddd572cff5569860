import { channel } from 'node:diagnostics_channel'
import { defineFeature, EVENTS, inject, injectable, type Context, type Feature, type InstanceEvents } from '@sluice/core'

/** The section `diagnostics`. It has no settings: who subscribes to a channel is told. */
export type DiagnosticsSettings = Readonly<Record<string, never>>

declare module '@sluice/core' {
  interface FeatureSections { diagnostics: DiagnosticsSettings }
}

/** What is published on the channels `sluice:session:open`, `sluice:session:established` and `sluice:session:close`. */
export interface SessionMessage {
  readonly session: Context
}

const TOLD = ['session:open', 'session:established', 'session:close'] as const

/** Publishes the events of sessions on channels of `node:diagnostics_channel`, where monitors of the whole process look for them. */
@injectable()
class Diagnostics implements Feature {
  readonly #events: InstanceEvents
  #stops: (() => void)[] = []

  constructor(@inject(EVENTS) events: InstanceEvents) {
    this.#events = events
  }

  start(): void {
    this.#stops = TOLD.map((name) => {
      const told = channel(`sluice:${name}`)
      return this.#events.on(name, (session) => {
        if (told.hasSubscribers) told.publish({ session } satisfies SessionMessage)
      })
    })
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}

/** Session events for `node:diagnostics_channel`; costs nothing while nobody has subscribed. */
export const diagnosticsFeature = defineFeature({
  section: 'diagnostics',
  schema: { type: 'object', additionalProperties: false, properties: {}, description: 'Has no settings' },
  useClass: Diagnostics,
})
