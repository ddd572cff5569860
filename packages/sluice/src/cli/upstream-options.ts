import type { Command } from 'commander'
import type { OutboundConfig } from '@sluice/core'
import { upstreamOutbounds } from '../library/upstream.js'
import { readCredentials, withCredentials } from './credentials.js'
import { environmentConfig, type ConfigPart, type Environment } from './env-proxies.js'

/** What to go through. */
export interface UpstreamOptions {
  /** URLs, nearest first. */
  readonly forward?: readonly string[]
  /** Read the environment's proxies. @default false */
  readonly env?: boolean
  /** Holds `user:password`. */
  readonly authFile?: string
}

/** Gives a command the options that say what to go through. */
export function withUpstreamOptions(command: Command): Command {
  return command
    .option('-F, --forward <url>',
      'go through, as http://user:pass@host:3128 or https://host:443; several are a chain, nearest first; the password may be env:NAME',
      (url: string, before: readonly string[] = []) => [...before, url])
    .option('--env', 'go through what HTTPS_PROXY, HTTP_PROXY and ALL_PROXY say, where there is no -F, and past it for NO_PROXY')
    .option('--auth-file <file>', 'user:password for the upstream, where its URL has none; also in $SLUICE_AUTH')
}

/**
 * Outbounds and rules as the options say; `undefined` if they say nothing, or the environment does not.
 * @throws {UsageError}
 */
export function upstreamConfig(options: UpstreamOptions, env: Environment = process.env): ConfigPart {
  const { forward = [], env: fromEnv = false, authFile } = options
  const given: OutboundConfig[] | undefined = forward.length === 0 ? undefined : upstreamOutbounds(forward, '-F')
  const part = fromEnv ? environmentConfig(env, given) : { outbounds: given ?? upstreamOutbounds(undefined) }
  return { ...part, outbounds: withCredentials(part.outbounds ?? [], readCredentials(authFile, env)) }
}
