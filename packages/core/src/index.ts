/**
 * The contracts of the Sluice proxy framework, and what builds an instance from a config and modules.
 *
 * @example
 * ```ts
 * import { createInstance } from '@sluice/core'
 * import { socksInbound } from '@sluice/inbound-socks'
 * import { freedomOutbound } from '@sluice/outbound-freedom'
 * import { transport } from '@sluice/transport'
 *
 * const config = { inbounds: [{ protocol: 'socks', port: 1080 }], outbounds: [{ protocol: 'freedom' }] } as const
 * const instance = createInstance(config, { modules: [transport, socksInbound, freedomOutbound] })
 * instance.events.on('session:close', ({ target, record }) => console.log(target.host, record.outcome))
 * await instance.start()
 * ```
 *
 * @packageDocumentation
 */
export type { Connection } from './contracts/connection.js'
export type { Context, LiveSession, LiveSessions, SessionOutcome, SessionRecord, User } from './contracts/context.js'
export type { Destination, Endpoint } from './contracts/destination.js'
export type { Dialer, DialOptions } from './contracts/dialer.js'
export type { Counter, Feature, Policy, PolicyManager, Resolver, Route, Router, StatsManager, SystemPolicy } from './contracts/features.js'
export type { Dispatch, Inbound, InboundPart, InboundParts, SessionRequest } from './contracts/inbound.js'
export type { HeaderList, HttpRequestHead, Link, RequestForm } from './contracts/link.js'
export { isTunnelOutbound, type Outbound, type OutboundHandler, type OutboundManager, type TunnelOutbound } from './contracts/outbound.js'
export type { Sniffed } from './contracts/sniffed.js'
export type { SniffedProtocol, Sniffer, SniffingSettings } from './contracts/sniffer.js'
export type { DialerFactory, DialerSpec, Listener, ListenerFactory, ListenerSpec, StreamSettings } from './contracts/transport.js'

export { accountFaults, Accounts, accountsSchema, type ClientAccount } from './accounts.js'
export { ClientLogins } from './client-logins.js'
export type { AnyInboundConfig, AnyOutboundConfig, Config, InboundConfig, OutboundConfig } from './config/config.js'
export { formatPath, parsePath, type PathSegment } from './config/config-path.js'
export { Draft } from './config/draft.js'
export { portSchema } from './config/envelope.js'
export { respell } from './config/respell.js'
export { suggestion } from './config/suggest.js'
export { upgradeClientAccounts, upgradeCredentials } from './config/upgrade-client-accounts.js'

export {
  defineFeature, defineInbound, defineOutbound, defineTransport,
  type Check, type Construction, type FeatureDefinition, type InboundDefinition, type KnownTags, type Module, type OutboundDefinition,
  type TransportDefinition, type Upgrade,
} from './definition/define.js'
export type { JsonSchema, ObjectSchema } from './definition/json-schema.js'
export type { FeatureSections, InboundSettings, OutboundSettings } from './definition/settings.js'

export { formatEndpoint, parseAuthority, tcp } from './destination.js'
export { createToken, describeToken, inject, injectable, type Injectable, type Resolve, type Token } from './di.js'
export { answerTo, type Answer } from './errors/answer.js'
export { ConfigError, fault, formatFault, isConfigError, type Fault, type Severity } from './errors/config-error.js'
export { ERROR_CODES, type Again, type ProxyErrorCode } from './errors/error-codes.js'
export { printable } from './errors/printable.js'
export { isProxyError, ProxyError, toProxyError, type Phase, type ProxyErrorOptions, type Side } from './errors/proxy-error.js'
export { InstanceEvents, type InstanceEventMap, type InstanceEventName, type LogEntry, type LogLevel, type ServerDown } from './events.js'
export { createInstance, type Instance, type InstanceOptions, type StopOptions } from './instance/instance.js'
export type { Listening } from './instance/inbound-handler.js'
export { DEFAULT_POLICY } from './instance/null-features.js'
export { LoginThrottle, type LoginResult, type LoginThrottleOptions } from './login-throttle.js'
export { Secret } from './secret.js'
export {
  DIALER_FACTORY, EVENTS, INBOUND_PARTS, LISTENER_FACTORY, LIVE_SESSIONS, OUTBOUND_MANAGER, OWN_ADDRESSES, POLICY_MANAGER, RESOLVER,
  ROUTER, SETTINGS, STATS_MANAGER, TAG,
} from './tokens.js'
