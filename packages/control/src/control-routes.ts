import { readFileSync } from 'node:fs'
import { isConfigError } from '@sluice/core'
import { failure, json, metrics, type ControlAnswer } from './control-answer.js'
import type { ControlHub } from './control-hub.js'
import { describeSession } from './describe-session.js'
import { processMetrics } from './process-metrics.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

type Answerer = (hub: ControlHub, id: string) => ControlAnswer | Promise<ControlAnswer>

/** By path, then by method; a path that ends in a slash takes an id behind it. */
const ROUTES: Readonly<Record<string, Readonly<Record<string, Answerer>>>> = {
  '/metrics': { GET: async ({ registry }) => metrics(`${await registry.metrics()}\n${await processMetrics().metrics()}`) },
  '/stats': { GET: (hub) => json(Object.fromEntries(hub.counters())) },
  '/connections': {
    GET: (hub) => json({ connections: hub.sessions().map(describeSession) }),
    DELETE: (hub) => json({ closed: hub.cut() }),
  },
  '/connections/': { DELETE: (hub, id) => closeOne(hub, id) },
  '/health': { GET: health },
  '/version': { GET: () => json({ version, node: process.version, pid: process.pid }) },
  '/reload': { POST: reload },
}

/** Answers one request that was admitted. */
export function answerRequest(hub: ControlHub, method: string, url: string): ControlAnswer | Promise<ControlAnswer> {
  const [path = ''] = url.split('?')
  const id = /^\/connections\/([^/]+)$/.exec(path)?.[1]
  const route = id === undefined ? path : '/connections/'
  const methods = Object.hasOwn(ROUTES, route) && (id !== undefined || !route.endsWith('/')) ? ROUTES[route] : undefined
  if (methods === undefined) return failure(404, 'There is nothing under this path')
  const name = method === 'HEAD' ? 'GET' : method
  const answerer = Object.hasOwn(methods, name) ? methods[name] : undefined
  const allow = Object.keys(methods).join(', ')
  return answerer?.(hub, id ?? '') ?? failure(405, `This path knows ${allow}`, { allow })
}

function closeOne(hub: ControlHub, id: string): ControlAnswer {
  const closed = hub.cut(id)
  return closed === 0 ? failure(404, 'No such session is alive') : json({ closed })
}

/** Not well is an outbound all of whose known servers rest. */
function health(hub: ControlHub): ControlAnswer {
  const servers = hub.servers()
  const ok = servers.every(({ outbound }) => servers.some((other) => other.outbound === outbound && other.up))
  const told = servers.map(({ since, ...state }) => ({ ...state, since: new Date(since).toISOString() }))
  return json({ ok, servers: told }, ok ? 200 : 503)
}

async function reload({ onReload }: ControlHub): Promise<ControlAnswer> {
  if (onReload === undefined) return failure(501, 'This program cannot reload its config')
  try {
    return json({ ok: true, remarks: await onReload() })
  } catch (error) {
    if (isConfigError(error)) return json({ error: 'The config cannot be used; nothing was changed', faults: error.faults }, 422)
    return failure(500, `Cannot reload: ${error instanceof Error ? error.message : String(error)}`)
  }
}
