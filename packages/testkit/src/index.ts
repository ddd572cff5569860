/**
 * What tests of Sluice modules need: real peers on loopback that do what a script says, and suites that prove a contract.
 *
 * @example
 * ```ts
 * import { scriptedUpstream } from '@sluice/testkit'
 *
 * await using upstream = await scriptedUpstream(async (peer) => {
 *   await peer.expectHead()
 *   await peer.send('HTTP/1.1 200 OK\r\n\r\nearly')
 * })
 * ```
 *
 * @packageDocumentation
 */
export { brokenDialer, DIALER_FAULTS, type BrokenDialerOptions, type DialerFault } from './broken/broken-dialer.js'
export { brokenInbound, INBOUND_FAULTS, type BrokenInboundOptions, type InboundFault } from './broken/broken-inbound.js'
export { brokenOutbound, type BrokenOutboundOptions } from './broken/broken-outbound.js'
export { OUTBOUND_FAULTS, type OutboundFault } from './broken/outbound-faults.js'
export { createCertificates, type CertificateOptions, type Certificates, type IssuedCertificate } from './certificates.js'
export { collectTests, type CollectedTest } from './compliance/collect-tests.js'
export { dialerCompliance } from './compliance/dialer/dialer-compliance.js'
export type { DialerComplianceOptions, DialerSetup } from './compliance/dialer/dialer-compliance-options.js'
export { inboundCompliance } from './compliance/inbound/inbound-compliance.js'
export type { ClientAnswer, InboundComplianceOptions, InboundNeeds, InboundSetup } from './compliance/inbound/inbound-compliance-options.js'
export { outboundCompliance } from './compliance/outbound/outbound-compliance.js'
export type {
  OutboundComplianceOptions, OutboundNeeds, OutboundScenario, OutboundSetup,
} from './compliance/outbound/outbound-compliance-options.js'
export type { TestRunner } from './compliance/suite.js'
export { connectProxy, type ConnectProxy, type ConnectProxyOptions, type ProxyBehaviour } from './connect-proxy.js'
export * from './http2/index.js'
export { http2ConnectProxy, type Http2ConnectProxyOptions } from './http2-connect-proxy.js'
export { flushed } from './flushed.js'
export { leakCounter, type LeakCounter, type LeakCounterOptions } from './leak-counter.js'
export { closedPort, type ServerTls } from './listening.js'
export { pattern, sha256 } from './pattern.js'
export { reset } from './reset.js'
export { lateReply, type BehaviourOptions, type TargetKind } from './target/behaviours.js'
export { startHttpTarget, type HttpTarget, type SeenRequest } from './target/start-http-target.js'
export { startTarget, type Target, type TargetOptions } from './target/start-target.js'
export type { TargetConnection } from './target/target-connection.js'
export { connectTo, tcpPair, type TcpPair } from './tcp-pair.js'
export { testContext, testPolicies, type TestContextOptions } from './test-context.js'
export { testLink, type TestLink } from './test-link.js'
export { connectTlsTo, tlsPair, type TlsPair, type TlsPairOptions } from './tls-pair.js'
export { until, untilSteady } from './until.js'
export { Peer, type FinOptions, type PeerOptions, type SendOptions } from './upstream/peer.js'
export { scriptedUpstream, type Script, type ScriptedUpstream, type ScriptedUpstreamOptions } from './upstream/scripted-upstream.js'
export { runSteps, type Step } from './upstream/steps.js'
export { within } from './within.js'
