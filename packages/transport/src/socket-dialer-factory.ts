import { isIP } from 'node:net'
import {
  ConfigError, EVENTS, fault, inject, injectable, OWN_ADDRESSES, POLICY_MANAGER, STATS_MANAGER,
  type Counter, type Dialer, type DialerFactory, type DialerSpec, type Endpoint, type Fault, type InstanceEvents, type PolicyManager,
  type StatsManager,
} from '@sluice/core'
import { CountingDialer } from './counting-dialer.js'
import { keepAliveIdleMs } from './keep-alive.js'
import { TcpDialer } from './tcp-dialer.js'
import { ThroughDialer } from './through-dialer.js'
import { tlsClientOptions, type TlsClientOptions } from './tls-client-options.js'
import { TlsDialer } from './tls-dialer.js'

/** Puts an outbound's dialer together: a socket or a tunnel through another outbound, TLS on top, and counters. */
@injectable()
export class SocketDialerFactory implements DialerFactory {
  constructor(
    @inject(EVENTS) private readonly events: InstanceEvents,
    @inject(POLICY_MANAGER) private readonly policies: PolicyManager,
    @inject(STATS_MANAGER) private readonly stats: StatsManager,
    @inject(OWN_ADDRESSES) private readonly ownAddresses: Iterable<Endpoint>,
  ) {}

  create(spec: DialerSpec): Dialer {
    const faults: Fault[] = []
    checkLocalAddress(spec, faults)
    const tls = spec.stream.security === 'tls' ? tlsClientOptions(spec.stream.tlsSettings ?? {}, faults) : undefined
    if (faults.length > 0) throw new ConfigError(faults)
    return this.#counting(spec.tag, this.#secured(dialerUnder(spec, this.ownAddresses), tls))
  }

  #secured(dialer: Dialer, tls: TlsClientOptions | undefined): Dialer {
    return tls === undefined ? dialer : new TlsDialer(dialer, tls, this.events)
  }

  #counting(tag: string, dialer: Dialer): Dialer {
    const { statsOutboundUplink, statsOutboundDownlink } = this.policies.system
    const counter = (wanted: boolean, direction: string): Counter | undefined =>
      wanted && tag !== '' ? this.stats.counter(`outbound>>>${tag}>>>traffic>>>${direction}`) : undefined
    const uplink = counter(statsOutboundUplink, 'uplink')
    const downlink = counter(statsOutboundDownlink, 'downlink')
    if (uplink === undefined && downlink === undefined) return dialer
    return new CountingDialer(dialer, { ...(uplink && { uplink }), ...(downlink && { downlink }) })
  }
}

/** Through another outbound, that one's socket options hold: source address and keep-alive of this one have nothing to act on. */
function dialerUnder({ stream, localAddress, through }: DialerSpec, ownAddresses: Iterable<Endpoint>): Dialer {
  if (through !== undefined) return new ThroughDialer(through)
  return new TcpDialer({ ownAddresses, keepAliveIdleMs: keepAliveIdleMs(stream), ...(localAddress === undefined ? {} : { localAddress }) })
}

function checkLocalAddress({ localAddress }: DialerSpec, faults: Fault[]): void {
  if (localAddress === undefined || isIP(localAddress) !== 0) return
  faults.push(fault(['sendThrough'], `must be an IP address of this machine, not "${localAddress}"`))
}
