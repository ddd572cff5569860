/**
 * What a running instance shows: metrics for Prometheus, live sessions, health and reload over HTTP, and events for
 * `node:diagnostics_channel`.
 *
 * @example
 * ```ts
 * import { CONTROL, controlFeature } from '@sluice/control'
 * import { createInstance } from '@sluice/core'
 * import { transport } from '@sluice/transport'
 *
 * await using instance = createInstance({ control: { listen: '127.0.0.1:0' } }, { modules: [controlFeature, transport] })
 * await instance.start()
 * console.log(await (await fetch(`http://127.0.0.1:${instance.get(CONTROL).address?.port}/metrics`)).text())
 * ```
 *
 * @packageDocumentation
 */
export { CONTROL, type Control } from './control.js'
export { controlFeature, createControlFeature, type ControlOptions } from './control-feature.js'
export { ControlHub, type WatchedInstance } from './control-hub.js'
export type { ControlSettings } from './control-settings.js'
export type { SessionDescription } from './describe-session.js'
export { diagnosticsFeature, type DiagnosticsSettings, type SessionMessage } from './diagnostics-feature.js'
export { processMetrics } from './process-metrics.js'
export type { ServerState } from './server-states.js'
