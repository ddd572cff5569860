import { createInstance, type Config, type InboundConfig } from '@sluice/core'
import { upstreamOutbounds } from '../library/upstream.js'
import { modules } from '../modules.js'
import { withDefaults, type CommonOptions } from './common-options.js'
import { parseListenUrl } from './proxy-url.js'
import { serve } from './serve.js'
import { upstreamConfig, type UpstreamOptions } from './upstream-options.js'

export interface OneLineOptions extends CommonOptions, UpstreamOptions {
  readonly listen?: readonly string[]
  /** Say nothing when it has started. @default false */
  readonly quiet?: boolean
}

const DEFAULT_LISTEN = ['socks://127.0.0.1:1080', 'http://127.0.0.1:8080']

/** Runs what `-L` and `-F`, or the environment, say, until a signal. @throws {UsageError} for a URL that cannot be used. */
export async function runOneLine({ listen = DEFAULT_LISTEN, quiet = false, ...options }: OneLineOptions): Promise<void> {
  const config = withDefaults({ inbounds: inboundsOf(listen), ...upstreamConfig(options) }, options) as Config
  const instance = createInstance(config, { modules })
  await serve(instance, { remarks: instance.remarks, config, quiet })
}

/** The config for these URLs. Without `forward` targets are dialled straight. */
export function oneLineConfig(listen: readonly string[], forward: readonly string[]): Config {
  return { inbounds: inboundsOf(listen), outbounds: upstreamOutbounds(forward, '-F') }
}

function inboundsOf(listen: readonly string[]): InboundConfig[] {
  return listen.map((url, index) => ({ ...parseListenUrl(url), tag: `listen${index + 1}` }))
}
