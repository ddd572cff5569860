/**
 * Config text to config object, and the line and column of every fault.
 *
 * @example
 * ```ts
 * import { createInstance, formatFault, isConfigError, type Config } from '@sluice/core'
 * import { loadConfigFile, locateFaults } from '@sluice/config'
 * import { transport } from '@sluice/transport'
 *
 * const document = await loadConfigFile('config.json')
 * try { createInstance(document.config as Config, { modules: [transport] }) }
 * catch (error) { if (isConfigError(error)) console.error(locateFaults(error.faults, document).map(formatFault)) }
 * ```
 *
 * @packageDocumentation
 */
export { formatCodeFrame } from './code-frame.js'
export type { ConfigDocument } from './config-document.js'
export { CONFIG_FORMATS, CONFIG_NAME, formatOf, type ConfigFormat } from './config-format.js'
export { expandPorts, MAX_PORTS } from './expand-ports.js'
export { formatConfig } from './format-config.js'
export type { Position } from './line-map.js'
export { loadConfigFile, readConfigFile } from './load-config-file.js'
export { locateFaults } from './locate-faults.js'
export { mergeConfigs } from './merge-configs.js'
export { normalizeConfig, type NormalizeOptions } from './normalize-config.js'
export { parseConfig, type ParseConfigOptions } from './parse-config.js'
export { MAX_DEPTH } from './syntax-faults.js'
export type { KnownProtocols } from './skip-unknown.js'
