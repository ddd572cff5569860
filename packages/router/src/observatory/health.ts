import { createToken, type Feature, type Token } from '@sluice/core'

/** What is known of an outbound from the probes that went through it lately. */
export interface Health {
  /** Whether one of them succeeded. */
  readonly alive: boolean
  /** Mean time of those that succeeded, in milliseconds; infinite where none did. */
  readonly rttMs: number
  /** Standard deviation of these times, in milliseconds; infinite where none succeeded. */
  readonly deviationMs: number
  /** Share of those that failed, 0 to 1. */
  readonly failed: number
}

/** Knows how outbounds fare. */
export interface Observatory extends Feature {
  /** `undefined`: it is not probed, or not yet. */
  health(tag: string): Health | undefined
}

/** The section `observatory`. */
export const OBSERVATORY: Token<Observatory> = createToken<Observatory>('Observatory', '@sluice/router')
/** The section `burstObservatory`. */
export const BURST_OBSERVATORY: Token<Observatory> = createToken<Observatory>('BurstObservatory', '@sluice/router')

/** Sums the latest probes of one outbound up. @param rtts In milliseconds; `undefined`: it failed. At least one. */
export function healthOf(rtts: readonly (number | undefined)[]): Health {
  const succeeded = rtts.filter((rtt) => rtt !== undefined)
  const failed = 1 - succeeded.length / rtts.length
  if (succeeded.length === 0) return { alive: false, rttMs: Number.POSITIVE_INFINITY, deviationMs: Number.POSITIVE_INFINITY, failed }
  const rttMs = mean(succeeded)
  // A single time says nothing of how much they vary: half of it is assumed, as in v2ray.
  const deviationMs = succeeded.length === 1 ? rttMs / 2 : Math.sqrt(mean(succeeded.map((rtt) => (rtt - rttMs) ** 2)))
  return { alive: true, rttMs, deviationMs, failed }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
