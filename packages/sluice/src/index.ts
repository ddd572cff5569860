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
export { modules } from './modules.js'

/** The config itself, completed and checked by the editor. */
export function defineConfig(config: Config): Config {
  return config
}
