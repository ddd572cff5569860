import {
  defineFeature, EVENTS, fault, OUTBOUND_MANAGER, type Fault, type FeatureDefinition, type KnownTags, type PathSegment, type Resolve,
} from '@sluice/core'
import { membersOf } from '../balancer/balancer.js'
import { BURST_OBSERVATORY, OBSERVATORY } from './health.js'
import {
  burstObservatorySchema, observatorySchema, type BurstObservatorySettings, type ObservatorySettings,
} from './observatory-settings.js'
import { parseDuration } from './parse-duration.js'
import { probe, type ProbeRequest } from './probe.js'
import { Prober, type ProbeClock, type ProberOptions } from './prober.js'

declare module '@sluice/core' {
  interface FeatureSections { observatory: ObservatorySettings, burstObservatory: BurstObservatorySettings }
}

const PROBE_URL = 'https://www.google.com/generate_204'
const PING_URL = 'https://connectivitycheck.gstatic.com/generate_204'
const PROBE_TIMEOUT_MS = 5_000
const MIN_PING_INTERVAL_MS = 10_000

/** What an observatory may be given beside its section. */
export interface ObservatoryOptions {
  /** Trusted for https in place of Node's authorities, as PEM. */
  readonly ca?: string
  /** @default the system's */
  readonly clock?: ProbeClock
}

/** The section `observatory`. To be given before routing, whose balancers ask it. */
export function createObservatoryFeature(options: ObservatoryOptions = {}): FeatureDefinition {
  return defineFeature({
    section: 'observatory',
    provides: OBSERVATORY,
    optional: true,
    schema: observatorySchema,
    check: ({ subjectSelector, probeUrl = PROBE_URL, probeInterval = '10s' }, known) => [
      ...selectorFaults(subjectSelector, known),
      ...urlFaults(['probeUrl'], probeUrl),
      ...durationFaults(['probeInterval'], probeInterval, 1),
    ],
    create({ subjectSelector, probeUrl = PROBE_URL, probeInterval = '10s', enableConcurrency = false }, resolve) {
      const how = { intervalMs: parseDuration(probeInterval) ?? 0, timeoutMs: PROBE_TIMEOUT_MS, samples: 1, concurrent: enableConcurrency }
      return prober(subjectSelector, { url: probeUrl, method: 'GET' }, how, options, resolve)
    },
  })
}

/** The section `burstObservatory`. To be given before routing, whose balancers ask it. */
export function createBurstObservatoryFeature(options: ObservatoryOptions = {}): FeatureDefinition {
  return defineFeature({
    section: 'burstObservatory',
    provides: BURST_OBSERVATORY,
    optional: true,
    schema: burstObservatorySchema,
    check({ subjectSelector, pingConfig = {} }, known) {
      const { destination = PING_URL, interval = '1m', timeout = '5s', connectivity } = pingConfig
      const ignored = 'is ignored: a failure counts whatever the network is like'
      return [
        ...selectorFaults(subjectSelector, known),
        ...urlFaults(['pingConfig', 'destination'], destination),
        ...durationFaults(['pingConfig', 'interval'], interval, MIN_PING_INTERVAL_MS),
        ...durationFaults(['pingConfig', 'timeout'], timeout, 1),
        ...(connectivity === undefined ? [] : [fault(['pingConfig', 'connectivity'], ignored, { severity: 'warning' })]),
      ]
    },
    create({ subjectSelector, pingConfig = {} }, resolve) {
      const { destination = PING_URL, interval = '1m', timeout = '5s', sampling = 10, httpMethod = 'HEAD' } = pingConfig
      const how = { intervalMs: parseDuration(interval) ?? 0, timeoutMs: parseDuration(timeout) ?? 0, samples: sampling, concurrent: true }
      return prober(subjectSelector, { url: destination, method: httpMethod }, how, options, resolve)
    },
  })
}

/** The section `observatory`. */
export const observatoryFeature: FeatureDefinition = createObservatoryFeature()
/** The section `burstObservatory`. */
export const burstObservatoryFeature: FeatureDefinition = createBurstObservatoryFeature()

function prober(
  selector: readonly string[], { url, method }: { readonly url: string, readonly method: 'HEAD' | 'GET' },
  how: Omit<ProberOptions, 'selector' | 'probe'>, { ca, clock }: ObservatoryOptions, resolve: Resolve,
): Prober {
  const request: ProbeRequest = { url: new URL(url), method, ...(ca === undefined ? {} : { ca }) }
  const options: ProberOptions = {
    ...how, selector, probe: (handler, signal) => probe(handler, request, signal), ...(clock === undefined ? {} : { clock }),
  }
  return new Prober(options, resolve(OUTBOUND_MANAGER), resolve(EVENTS))
}

type At = readonly PathSegment[]

function selectorFaults(selector: readonly string[], { outbounds }: KnownTags): Fault[] {
  return membersOf(selector, [...outbounds]).length > 0 ? []
    : [fault(['subjectSelector'], 'selects no outbound', { hint: `known are ${[...outbounds].map((tag) => `"${tag}"`).join(', ')}` })]
}

function urlFaults(at: At, text: string): Fault[] {
  const isFine = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
  return isFine ? [] : [fault(at, `must be an http or https URL, not "${text}"`)]
}

function durationFaults(at: At, text: string, leastMs: number): Fault[] {
  const ms = parseDuration(text)
  if (ms === undefined) return [fault(at, `must be a duration as "10s" or "1m30s", not "${text}"`)]
  return ms < leastMs || ms > 2 ** 31 - 1 ? [fault(at, `must be from ${leastMs} ms to 24 days, not "${text}"`)] : []
}
