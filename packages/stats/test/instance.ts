import { createInstance, defineTransport, type Config, type DialerFactory, type Instance, type ListenerFactory } from '@sluice/core'
import { statsFeature } from '../src/index.js'

class NoSockets implements DialerFactory, ListenerFactory {
  create(): never {
    throw new Error('This instance has no handlers')
  }
}

const noTransport = defineTransport({
  schema: { type: 'object', additionalProperties: false, properties: {} },
  dialers: NoSockets,
  listeners: NoSockets,
})

/** An instance of counters alone. */
export function instanceOf(config: Config): Instance {
  return createInstance(config, { modules: [statsFeature, noTransport] })
}
