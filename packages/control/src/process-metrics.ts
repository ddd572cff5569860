import { collectDefaultMetrics, Registry } from 'prom-client'

// What Node tells of the process is the same for all instances in it, and prom-client never takes its observers of garbage collection
// and event loop away again: so there is one registry for the process, from the first time that somebody asks.
let registry: Registry | undefined

/** prom-client's metrics of the process: CPU, memory, event loop, garbage collection. */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
  }
  return registry
}
