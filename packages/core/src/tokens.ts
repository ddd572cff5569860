import type { LiveSessions } from './contracts/context.js'
import type { Endpoint } from './contracts/destination.js'
import type { InboundParts } from './contracts/inbound.js'
import type { OutboundManager } from './contracts/outbound.js'
import type { PolicyManager, Resolver, Router, StatsManager } from './contracts/features.js'
import type { DialerFactory, ListenerFactory } from './contracts/transport.js'
import type { InstanceEvents } from './events.js'
import { createToken } from './di.js'

/** The handler's own `settings`, checked against its schema and frozen. */
export const SETTINGS = createToken<never>('settings', 'the handler')
/** The handler's own tag; `''` where it has none. */
export const TAG = createToken<string>('tag', 'the handler')

export const EVENTS = createToken<InstanceEvents>('events', '@sluice/core')
export const LIVE_SESSIONS = createToken<LiveSessions>('LiveSessions', '@sluice/core')
/** Where the listeners of this instance listen at this moment: nothing of it may be dialled there. */
export const OWN_ADDRESSES = createToken<Iterable<Endpoint>>('own addresses', '@sluice/core')
export const OUTBOUND_MANAGER = createToken<OutboundManager>('OutboundManager', '@sluice/core')
export const INBOUND_PARTS = createToken<InboundParts>('InboundParts', '@sluice/core')
export const POLICY_MANAGER = createToken<PolicyManager>('PolicyManager', '@sluice/policy')
export const STATS_MANAGER = createToken<StatsManager>('StatsManager', '@sluice/stats')
export const ROUTER = createToken<Router>('Router', '@sluice/router')
export const RESOLVER = createToken<Resolver>('Resolver', '@sluice/dns')
export const DIALER_FACTORY = createToken<DialerFactory>('DialerFactory', '@sluice/transport')
export const LISTENER_FACTORY = createToken<ListenerFactory>('ListenerFactory', '@sluice/transport')
