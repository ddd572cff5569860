/**
 * The published types: those of the build, and the settings that the shipped modules merge into core's, which the build's own
 * declarations do not name.
 */
import '@sluice/inbound-http'
import '@sluice/inbound-mixed'
import '@sluice/inbound-socks'
import '@sluice/outbound-blackhole'
import '@sluice/outbound-freedom'
import '@sluice/outbound-http'
import '@sluice/policy'
import '@sluice/router'
import '@sluice/stats'
import '@sluice/transport'
import './dist/log/log-settings.js'

export * from './dist/index.js'
