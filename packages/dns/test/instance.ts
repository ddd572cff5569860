import { createInstance, defineTransport, isConfigError, RESOLVER, type Config, type Dialer, type Fault, type OutboundDefinition, type Resolver } from '@sluice/core'
import { createDnsFeature, type DnsOptions, type DnsSettings } from '../src/index.js'

const schema = { type: 'object', additionalProperties: false, properties: {} } as const

const noTransport = defineTransport({
  schema,
  dialers: class { create(): Dialer { return { dial: () => Promise.reject(new Error('Nothing is dialled here')) } } },
  listeners: class { create(): never { throw new Error('Nothing listens here') } },
})

/** The resolver of an instance with such a section. */
export function resolverOf(dns: DnsSettings, options: DnsOptions = {}): Resolver {
  return createInstance({ dns }, { modules: [noTransport, createDnsFeature(options)] }).get(RESOLVER)
}

/** What is wrong with a section, one line per fault. */
export function faultsOf(dns: unknown, options: DnsOptions = {}, more: readonly OutboundDefinition[] = []): string[] {
  const lines = (faults: readonly Fault[]): string[] => faults.map(({ severity, path, message }) => `${severity} ${path}: ${message}`)
  try {
    const config = { dns, outbounds: more.map(({ protocol }) => ({ protocol })) }
    return lines(createInstance(config as Config, { modules: [noTransport, createDnsFeature(options), ...more] }).remarks)
  } catch (error) {
    if (isConfigError(error)) return lines(error.faults)
    throw error
  }
}

const signal = new AbortController().signal

/** The addresses of a name, or the code and message of the error. */
export async function lookUp(resolver: Resolver, name: string, family: 0 | 4 | 6 = 0): Promise<readonly string[] | string> {
  try {
    return await resolver.resolve(name, { family, signal })
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`
  }
}
