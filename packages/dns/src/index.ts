/**
 * Name look-ups by configured servers: the section `dns`.
 *
 * @example
 * ```ts
 * import { createInstance, type Config, type Module } from '@sluice/core'
 * import { dnsFeature } from '@sluice/dns'
 *
 * export function start(config: Config, modules: readonly Module[]) {
 *   const dns = { hosts: { 'printer.lan': '192.168.1.7' }, servers: ['https://1.1.1.1/dns-query', 'localhost'] }
 *   return createInstance({ ...config, dns }, { modules: [dnsFeature, ...modules] })
 * }
 * ```
 *
 * @packageDocumentation
 */
export { createDnsFeature, dnsFeature, type DnsOptions } from './dns-feature.js'
export { dnsSchema, type DnsServerSettings, type DnsSettings, type QueryStrategy } from './dns-settings.js'
export type { Patterns } from './patterns.js'
