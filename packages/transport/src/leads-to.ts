import { networkInterfaces } from 'node:os'
import type { Endpoint } from '@sluice/core'

/** Whether a connection to that IP address and port ends at one of these listeners, which may listen on all addresses. */
export function leadsTo(listeners: Iterable<Endpoint>, { host, port }: Endpoint): boolean {
  for (const listener of listeners) {
    if (listener.port === port && takes(unmapped(listener.host), unmapped(host))) return true
  }
  return false
}

function takes(listening: string, host: string): boolean {
  if (listening === host) return true
  if (listening === '::') return isOfThisMachine(host)
  return listening === '0.0.0.0' && !host.includes(':') && isOfThisMachine(host)
}

/** A client may dial the unspecified address itself, which the system takes for loopback. */
function isOfThisMachine(host: string): boolean {
  if (host.startsWith('127.') || host === '0.0.0.0' || host === '::') return true
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host))
}

/** An IPv4 address in IPv6 clothes is the same address. */
function unmapped(host: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(host) ? host.slice('::ffff:'.length) : host
}
