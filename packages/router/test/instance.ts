import {
  createInstance, defineInbound, defineOutbound, defineTransport,
  type Config, type Dialer, type Instance, type Listener,
} from '@sluice/core'
import { routingFeature } from '../src/index.js'

declare module '@sluice/core' {
  interface InboundSettings { idle: Record<string, never> }
  interface OutboundSettings { idle: Record<string, never> }
}

const schema = { type: 'object', additionalProperties: false, properties: {} } as const

class NoDialers {
  create(): Dialer {
    return { dial: () => Promise.reject(new Error('Nothing is dialled here')) }
  }
}

class NoListeners {
  create(): Listener {
    return { start: () => Promise.reject(new Error('Nothing listens here')), stop: () => {}, close: () => Promise.resolve() }
  }
}

const modules = [
  routingFeature,
  defineTransport({ schema, dialers: NoDialers, listeners: NoListeners }),
  defineInbound({ protocol: 'idle', schema, authenticates: () => false, create: () => ({ handle: () => Promise.resolve() }) }),
  defineOutbound({ protocol: 'idle', schema, create: () => ({ process: () => Promise.resolve() }) }),
]

/** An instance with the inbounds `office` and `guests` and the outbounds `proxy` and `direct`. */
export function instanceOf(routing: unknown): Instance {
  const config = {
    inbounds: [{ tag: 'office', protocol: 'idle', port: 0 }, { tag: 'guests', protocol: 'idle', port: 0 }],
    outbounds: [{ tag: 'proxy', protocol: 'idle' }, { tag: 'direct', protocol: 'idle' }],
    ...(routing === undefined ? {} : { routing }),
  }
  return createInstance(config as Config, { modules })
}
