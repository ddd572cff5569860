import {
  createInstance, ConfigError, defineInbound, defineOutbound, defineTransport,
  type Config, type Dialer, type Fault, type Instance, type Listener,
} from '@sluice/core'
import { burstObservatoryFeature, observatoryFeature, routingFeature } from '../src/index.js'

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
  observatoryFeature,
  burstObservatoryFeature,
  routingFeature,
  defineTransport({ schema, dialers: NoDialers, listeners: NoListeners }),
  defineInbound({ protocol: 'idle', schema, authenticates: () => false, create: () => ({ handle: () => Promise.resolve() }) }),
  defineOutbound({ protocol: 'idle', schema, create: () => ({ process: () => Promise.resolve() }) }),
]

/** An instance with the inbounds `office` and `guests` and the outbounds `proxy` and `direct`. */
export function instanceOf(routing: unknown, sections: object = {}): Instance {
  const config = {
    inbounds: [{ tag: 'office', protocol: 'idle', port: 0 }, { tag: 'guests', protocol: 'idle', port: 0 }],
    outbounds: [{ tag: 'proxy', protocol: 'idle' }, { tag: 'direct', protocol: 'idle' }],
    ...(routing === undefined ? {} : { routing }),
    ...sections,
  }
  return createInstance(config as Config, { modules })
}

/** What is wrong with such a section, one line per fault. */
export function linesOf(routing: unknown, sections: object = {}): string[] {
  return faultsOf(routing, sections).map(({ severity, path, message, hint = '' }) => `${severity} ${path}: ${message}${hint === '' ? '' : ` (${hint})`}`)
}

function faultsOf(routing: unknown, sections: object): readonly Fault[] {
  try {
    return instanceOf(routing, sections).remarks
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
