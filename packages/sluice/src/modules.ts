import { controlFeature, diagnosticsFeature } from '@sluice/control'
import type { Module } from '@sluice/core'
import { createDnsFeature } from '@sluice/dns'
import { httpInbound } from '@sluice/inbound-http'
import { mixedInbound } from '@sluice/inbound-mixed'
import { socksInbound } from '@sluice/inbound-socks'
import { blackholeOutbound } from '@sluice/outbound-blackhole'
import { freedomOutbound } from '@sluice/outbound-freedom'
import { httpOutbound } from '@sluice/outbound-http'
import { policyFeature } from '@sluice/policy'
import { burstObservatoryFeature, observatoryFeature, routingFeature, rulePatterns } from '@sluice/router'
import { statsFeature } from '@sluice/stats'
import { transport } from '@sluice/transport'
import { logFeature } from './log/log-feature.js'

/** Everything that ships. A config can name this much and no more; give `createInstance` further modules beside them. */
export const modules: readonly Module[] = [
  transport,
  logFeature,
  policyFeature,
  statsFeature,
  controlFeature,
  diagnosticsFeature,
  createDnsFeature({ patterns: rulePatterns }),
  observatoryFeature,
  burstObservatoryFeature,
  routingFeature,
  socksInbound,
  httpInbound,
  mixedInbound,
  httpOutbound,
  freedomOutbound,
  blackholeOutbound,
]
