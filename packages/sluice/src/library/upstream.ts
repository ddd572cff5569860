import type { OutboundConfig } from '@sluice/core'
import { parseForwardUrl } from '../cli/proxy-url.js'

/**
 * What sessions go through: the URL of a proxy as `http://user:pass@host:3128` or `https://host:443`, several of them as a chain with
 * the nearest first, or an outbound as a config has it.
 */
export type Upstream = string | readonly string[] | OutboundConfig

/**
 * The outbounds of a config that goes through that upstream, straight to the target without one. The first takes the sessions; each
 * is dialled through the one after it.
 *
 * @throws {UsageError} for a URL that cannot be used.
 */
export function upstreamOutbounds(upstream: Upstream | undefined, option = 'upstream'): OutboundConfig[] {
  if (isOutbound(upstream)) return [{ tag: 'upstream', ...upstream }]
  const urls = typeof upstream === 'string' ? [upstream] : upstream ?? []
  if (urls.length === 0) return [{ protocol: 'freedom', tag: 'direct' }]
  const hops = urls.map((url, index): OutboundConfig => ({
    ...parseForwardUrl(url, option),
    tag: `hop${index + 1}`,
    ...(index > 0 ? { proxySettings: { tag: `hop${index}` } } : {}),
  }))
  return hops.reverse()
}

function isOutbound(upstream: Upstream | undefined): upstream is OutboundConfig {
  return typeof upstream === 'object' && !Array.isArray(upstream)
}
