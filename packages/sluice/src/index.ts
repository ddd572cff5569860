/**
 * HTTP CONNECT proxy client: a config and the modules that ship make an instance.
 *
 * @example
 * ```ts
 * import { createInstance, defineConfig, modules } from 'sluice'
 *
 * const config = defineConfig({
 *   inbounds: [{ protocol: 'socks', port: 1080 }],
 *   outbounds: [{ protocol: 'http', settings: { servers: [{ address: 'proxy.example', port: 3128 }] } }],
 * })
 * await using instance = createInstance(config, { modules })
 * await instance.start()
 * ```
 *
 * @packageDocumentation
 */
import type { Config } from '@sluice/core'

export { ConfigError, createInstance, formatFault, isConfigError, isProxyError, ProxyError, type Config, type Instance } from '@sluice/core'
export { dial, type DialOptions } from './dial.js'
export { agent, type ProxyAgents } from './library/agent.js'
export { connector, type Connector, type ConnectorRequest } from './library/connector.js'
export { createProxy } from './library/create-proxy.js'
export type { ProxyRequest, RequestDecision, RequestHook } from './library/hook-router.js'
export type { Proxy, ProxyOptions } from './library/proxy.js'
export type { ProxyStats } from './library/session-totals.js'
export { startProxy, type StartedProxy, type StartProxyOptions } from './library/start-proxy.js'
export type { Upstream } from './library/upstream.js'
export { modules } from './modules.js'
// Naming the settings brings them into the published types, where `defineConfig` needs them.
export type { ControlSettings } from '@sluice/control'
export type { DnsSettings } from '@sluice/dns'
export type { HttpInboundSettings } from '@sluice/inbound-http'
export type { MixedInboundSettings } from '@sluice/inbound-mixed'
export type { SocksInboundSettings } from '@sluice/inbound-socks'
export type { BlackholeOutboundSettings } from '@sluice/outbound-blackhole'
export type { FreedomOutboundSettings } from '@sluice/outbound-freedom'
export type { HttpOutboundSettings } from '@sluice/outbound-http'
export type { PolicySettings } from '@sluice/policy'
export type { RoutingSettings } from '@sluice/router'
export type { StatsSettings } from '@sluice/stats'
export type { TlsSettings } from '@sluice/transport'
export type { LogSettings } from './log/log-settings.js'

/** The config itself, completed and checked by the editor. */
export function defineConfig(config: Config): Config {
  return config
}
