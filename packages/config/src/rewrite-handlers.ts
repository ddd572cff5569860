import { isIP } from 'node:net'
import { dropRemarks } from './drop-unset.js'
import { rewriteStream } from './rewrite-stream.js'
import { isObject, objectsOf, type At, type Loose, type Rewriting } from './rewriting.js'

const OUTBOUND_ALIASES: Readonly<Record<string, string>> = { direct: 'freedom', block: 'blackhole' }
const ACCOUNT_KEYS = ['accounts', 'users', 'auth'] as const
const SERVER_KEYS = ['servers', 'address', 'users', 'user', 'pass'] as const
const ANY_ADDRESS: ReadonlySet<unknown> = new Set(['', '0.0.0.0', '::'])

/** Brings what stands around the settings of each inbound to the canonical form. */
export function rewriteInbounds(rewriting: Rewriting, root: Loose): void {
  for (const [index, inbound] of objectsOf(root['inbounds'])) {
    const at = ['inbounds', index] as const
    dropRemarks(inbound)
    lowerCaseProtocol(rewriting, inbound, at)
    rewritePort(rewriting, inbound)
    rewriteSniffing(rewriting, inbound, at)
    const { allocate } = inbound
    const isAlways = isObject(allocate) && (allocate['strategy'] ?? 'always') === 'always'
    rewriting.ignore(inbound, 'allocate', at, isAlways ? undefined : 'ports do not change here')
    rewriteListen(rewriting, inbound, at)
    refuseOutside(rewriting, inbound, ACCOUNT_KEYS, at, 'nobody would be asked for it')
    rewriteStream(rewriting, inbound, [...at, 'streamSettings'])
  }
}

/** Says of the inbounds that are left which of them listen elsewhere than v2ray would. */
export function tellLoopback(rewriting: Rewriting, root: Loose): void {
  for (const [index, { listen }] of objectsOf(root['inbounds'])) {
    if (listen !== undefined) continue
    rewriting.say(['inbounds', index], 'listens on 127.0.0.1 alone', 'notice', 'v2ray takes all addresses; "listen" names one')
  }
}

/** Brings what stands around the settings of each outbound to the canonical form. */
export function rewriteOutbounds(rewriting: Rewriting, root: Loose): void {
  for (const [index, outbound] of objectsOf(root['outbounds'])) {
    const at = ['outbounds', index] as const
    dropRemarks(outbound)
    lowerCaseProtocol(rewriting, outbound, at)
    const { protocol, mux, sendThrough } = outbound
    const alias = Object.hasOwn(OUTBOUND_ALIASES, String(protocol)) ? OUTBOUND_ALIASES[String(protocol)] : undefined
    if (alias !== undefined) renameProtocol(rewriting, outbound, alias, at)
    if (protocol === 'https') {
      rewriting.say([...at, 'protocol'], 'unknown protocol "https"', 'error', 'it is "http" with "streamSettings": { "security": "tls" }')
      outbound['protocol'] = 'http'
    }
    dropServerLeftovers(outbound)
    rewriting.ignore(outbound, 'mux', at, isOn(mux) ? 'HTTP proxies do not know Mux.Cool' : undefined)
    if (ANY_ADDRESS.has(sendThrough)) delete outbound['sendThrough']
    for (const key of ['targetStrategy', 'domainStrategy']) {
      const isAsIs = String(outbound[key]).toLowerCase() === 'asis'
      rewriting.ignore(outbound, key, at, isAsIs ? undefined : 'names are given to the outbound as they are')
    }
    refuseOutside(rewriting, outbound, SERVER_KEYS, at, 'nothing would read it')
    rewriteStream(rewriting, outbound, [...at, 'streamSettings'])
    rewriteProxySettings(rewriting, outbound, at)
  }
}

const SOCKET_PATH = /^[/@]/

/** What cannot be listened on is told here, where it is not taken for a public address. */
function rewriteListen(rewriting: Rewriting, inbound: Loose, at: At): void {
  const { listen } = inbound
  if (typeof listen !== 'string' || listen === 'localhost' || isIP(listen) !== 0) return
  if (listen !== '') {
    const why = SOCKET_PATH.test(listen) ? 'names a socket of the file system, which is not served' : 'must be an IP address or localhost'
    rewriting.say([...at, 'listen'], why, 'error')
    inbound['listen'] = '127.0.0.1'
  } else delete inbound['listen']
}

/** v2ray 1 to 3 had the list alone. */
function rewriteSniffing(rewriting: Rewriting, inbound: Loose, at: At): void {
  if ('domainOverride' in inbound && !('sniffing' in inbound)) {
    rewriting.say([...at, 'domainOverride'], 'is read as part of "sniffing"', 'notice')
    const sniffing: Loose = { enabled: true }
    rewriting.draft.move(inbound, 'domainOverride', sniffing, 'destOverride')
    inbound['sniffing'] = sniffing
  }
}

/** Graphical clients write the keys of Shadowsocks into every server. */
function dropServerLeftovers({ settings }: Loose): void {
  if (!isObject(settings)) return
  for (const [, server] of objectsOf(settings['servers'])) if (server['ota'] === false) delete server['ota']
}

function rewriteProxySettings(rewriting: Rewriting, outbound: Loose, at: At): void {
  const { proxySettings, streamSettings } = outbound
  if (isObject(proxySettings)) {
    // Here TLS and the rest of streamSettings always go on top of the chain.
    delete proxySettings['transportLayer']
    if (proxySettings['tag'] === undefined || proxySettings['tag'] === '') delete outbound['proxySettings']
  }
  const sockopt = isObject(streamSettings) ? streamSettings['sockopt'] : undefined
  if (!isObject(sockopt) || !('dialerProxy' in sockopt)) return
  const where = [...at, 'streamSettings', 'sockopt', 'dialerProxy']
  if (sockopt['dialerProxy'] === '') delete sockopt['dialerProxy']
  else if ('proxySettings' in outbound) rewriting.say(where, 'stands beside "proxySettings": one of them must go', 'error')
  else {
    rewriting.say(where, 'is read as "proxySettings"', 'notice')
    const through: Loose = {}
    rewriting.draft.move(sockopt, 'dialerProxy', through, 'tag')
    outbound['proxySettings'] = through
    return
  }
  delete sockopt['dialerProxy']
}

function lowerCaseProtocol(rewriting: Rewriting, handler: Loose, at: At): void {
  const { protocol } = handler
  if (typeof protocol === 'string' && protocol !== protocol.toLowerCase()) renameProtocol(rewriting, handler, protocol.toLowerCase(), at)
}

function renameProtocol(rewriting: Rewriting, handler: Loose, name: string, at: At): void {
  rewriting.say([...at, 'protocol'], `is read as "${name}"`, 'notice')
  rewriting.draft.replace(handler, 'protocol', name)
}

function rewritePort(rewriting: Rewriting, inbound: Loose): void {
  const { port } = inbound
  if (typeof port !== 'string') return
  // A range of one port is that port.
  const single = /^(\d{1,5})(?:-\1)?$/.exec(port.trim())?.[1]
  rewriting.draft.replace(inbound, 'port', single === undefined ? port.trim() : Number(single))
}

/** Accounts beside the settings would leave an open proxy behind, in silence. */
function refuseOutside(rewriting: Rewriting, handler: Loose, keys: readonly string[], at: At, why: string): void {
  for (const key of keys) {
    if (!(key in handler)) continue
    rewriting.say([...at, key], `stands beside "settings", where ${why}`, 'error', 'move it into "settings"')
    // Put where it belongs, it is no further fault.
    const settings = handler['settings'] ??= {}
    if (isObject(settings) && !(key in settings)) rewriting.draft.move(handler, key, settings, key)
    else delete handler[key]
  }
}

function isOn(value: unknown): boolean {
  return isObject(value) && value['enabled'] === true
}
