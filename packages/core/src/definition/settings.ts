/**
 * The `settings` of each inbound protocol, by protocol. A module adds its own by declaration merging, and from then on a wrong
 * setting in a config object is a compile error:
 *
 * ```ts
 * interface EchoSettings { readonly greeting?: string }
 * declare module '@sluice/core' { interface InboundSettings { echo: EchoSettings } }
 * ```
 */
// oxlint-disable-next-line no-empty-interface
export interface InboundSettings {}

/** The `settings` of each outbound protocol, by protocol; merged like {@link InboundSettings}. */
// oxlint-disable-next-line no-empty-interface
export interface OutboundSettings {}

/** The top-level sections of features (`policy`, `routing` …), by name; merged like {@link InboundSettings}. */
// oxlint-disable-next-line no-empty-interface
export interface FeatureSections {}
