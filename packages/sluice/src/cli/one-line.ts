import { createInstance, type Config } from '@sluice/core'
import { modules } from '../modules.js'
import { withDefaults, type CommonOptions } from './common-options.js'
import { parseForwardUrl, parseListenUrl } from './proxy-url.js'
import { serve } from './serve.js'

export interface OneLineOptions extends CommonOptions {
  readonly listen?: readonly string[]
  readonly forward?: readonly string[]
  /** Say nothing when it has started. @default false */
  readonly quiet?: boolean
}

const DEFAULT_LISTEN = ['socks://127.0.0.1:1080', 'http://127.0.0.1:8080']

/** Runs what `-L` and `-F` say, until a signal. @throws {UsageError} for a URL that cannot be used. */
export async function runOneLine({ listen = DEFAULT_LISTEN, forward = [], quiet = false, ...common }: OneLineOptions): Promise<void> {
  const config = withDefaults(oneLineConfig(listen, forward), common) as Config
  const instance = createInstance(config, { modules })
  await serve(instance, { remarks: instance.remarks, config, quiet })
}

/** The config for these URLs. Without `forward` targets are dialled straight. */
export function oneLineConfig(listen: readonly string[], forward: readonly string[]): Config {
  const hops = forward.map((url, index) => ({
    ...parseForwardUrl(url),
    tag: `hop${index + 1}`,
    ...(index > 0 ? { proxySettings: { tag: `hop${index}` } } : {}),
  }))
  return {
    inbounds: listen.map((url, index) => ({ ...parseListenUrl(url), tag: `listen${index + 1}` })),
    // The last hop is the one that sessions are given to; it is dialled through those before it.
    outbounds: hops.length > 0 ? hops.reverse() : [{ protocol: 'freedom', tag: 'direct' }],
  }
}
