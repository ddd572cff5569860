import { dropRemarks } from './drop-unset.js'
import { isObject, objectsOf, type Loose, type Rewriting } from './rewriting.js'

const IGNORED: Readonly<Record<string, string>> = {
  dns: 'an HTTP proxy resolves the names itself, and for the rest the system does',
  transport: 'set streamSettings of each handler',
  reverse: 'there is no reverse proxy here',
  fakedns: 'names are never faked here',
  observatory: 'servers are not probed here',
  burstObservatory: 'servers are not probed here',
  env: 'it belongs to another program',
  metrics: 'the section "control" serves them',
  version: 'it belongs to another program',
  geodata: 'it belongs to another program',
}

/** Brings the keys of the top level to their present names and places, and takes out what has no meaning here. */
export function rewriteSections(rewriting: Rewriting, root: Loose, sections: ReadonlySet<string>): void {
  rewritePort(rewriting, root)
  gather(rewriting, root, 'inbounds', ['inbound', 'inboundDetour'])
  gather(rewriting, root, 'outbounds', ['outbound', 'outboundDetour'])
  rewriteRouting(rewriting, root)
  const { log } = root
  if (isObject(log) && log['loglevel'] === '') delete log['loglevel']
  for (const [key, reason] of Object.entries(IGNORED)) if (!sections.has(key)) rewriting.ignore(root, key, [], reason)
}

/** v2ray 1 to 3 had the port of the first inbound at the top. */
function rewritePort(rewriting: Rewriting, root: Loose): void {
  const { inbound } = root
  if (!('port' in root) || !isObject(inbound) || 'port' in inbound) return
  rewriting.say(['port'], 'is read as the port of "inbound"', 'notice')
  rewriting.draft.move(root, 'port', inbound, 'port')
}

/** The first of the handlers in a key of its own, then others in a second one, then the present list. */
function gather(rewriting: Rewriting, root: Loose, key: string, oldKeys: readonly [one: string, several: string]): void {
  const [one, several] = oldKeys
  const { [one]: first, [several]: more, [key]: present } = root
  const isFirst = isObject(first)
  const isMore = Array.isArray(more)
  if ((!isFirst && !isMore) || (present !== undefined && !Array.isArray(present))) return
  for (const [old, isThere] of [[one, isFirst], [several, isMore]] as const) {
    if (!isThere) continue
    rewriting.say([old], `is read as part of "${key}"`, 'notice')
    delete root[old]
  }
  root[key] = [...(isFirst ? [first] : []), ...(isMore ? more as unknown[] : []), ...(present as unknown[] | undefined ?? [])]
}

function rewriteRouting(rewriting: Rewriting, root: Loose): void {
  const { routing } = root
  if (!isObject(routing)) return
  rewriting.ignore(routing, 'strategy', ['routing'])
  const { settings } = routing
  if (isObject(settings)) mergeRoutingSettings(rewriting, routing, settings)
  for (const [, rule] of objectsOf(routing['rules'])) {
    dropRemarks(rule)
    // Graphical clients leave out the rules that are switched off, and say so of the others.
    if (rule['enabled'] === true) delete rule['enabled']
  }
}

function mergeRoutingSettings(rewriting: Rewriting, routing: Loose, settings: Loose): void {
  const keys = Object.keys(settings)
  if (keys.some((key) => key in routing)) return
  rewriting.say(['routing', 'settings'], 'is read as part of "routing"', 'notice')
  for (const key of keys) rewriting.draft.move(settings, key, routing, key)
  delete routing['settings']
}
