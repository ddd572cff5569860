import { DEFAULT_POLICY, inject, injectable, SETTINGS, type Policy, type PolicyManager, type SystemPolicy } from '@sluice/core'
import type { LevelSettings, PolicySettings } from './policy-settings.js'

/** The policies of a config by user level. All are made once, at the start. */
@injectable()
export class LevelPolicyManager implements PolicyManager {
  readonly system: SystemPolicy
  readonly #levels: ReadonlyMap<number, Policy>

  constructor(@inject(SETTINGS) { levels = {}, system = {} }: PolicySettings) {
    this.#levels = new Map(Object.entries(levels).map(([key, level]) => [Number(key), policyOf(level)]))
    this.system = Object.freeze({
      statsInboundUplink: system.statsInboundUplink ?? false,
      statsInboundDownlink: system.statsInboundDownlink ?? false,
      statsOutboundUplink: system.statsOutboundUplink ?? false,
      statsOutboundDownlink: system.statsOutboundDownlink ?? false,
    })
  }

  /** The frozen policy of a level; one that the config does not name has the defaults, not what level 0 has. */
  forLevel(level: number): Policy {
    return this.#levels.get(level) ?? DEFAULT_POLICY
  }
}

function policyOf(level: LevelSettings): Policy {
  return Object.freeze({
    handshakeMs: toMs(level.handshake) ?? DEFAULT_POLICY.handshakeMs,
    connIdleMs: toMs(level.connIdle) ?? DEFAULT_POLICY.connIdleMs,
    uplinkOnlyMs: toMs(level.uplinkOnly) ?? DEFAULT_POLICY.uplinkOnlyMs,
    downlinkOnlyMs: toMs(level.downlinkOnly) ?? DEFAULT_POLICY.downlinkOnlyMs,
    statsUserUplink: level.statsUserUplink ?? DEFAULT_POLICY.statsUserUplink,
    statsUserDownlink: level.statsUserDownlink ?? DEFAULT_POLICY.statsUserDownlink,
  })
}

/** Rounded up where there is a fraction: a limit however short must not become 0, which means that there is none. */
function toMs(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined
  const ms = seconds * 1000
  return ms > 0 && ms < 1 ? 1 : Math.round(ms)
}
