import { DEFAULT_POLICY, type Context, type Destination, type Policy, type PolicyManager } from '@sluice/core'

export interface TestContextOptions extends Partial<Omit<Context, 'target'>> {
  readonly target: Destination
}

let made = 0

/** A session's context with a fresh record. Without a signal of yours it is never aborted. */
export function testContext({ target, ...others }: TestContextOptions): Context {
  made += 1
  return {
    id: `test-${made}`,
    target,
    inboundTag: 'test',
    signal: new AbortController().signal,
    record: { startedAt: Date.now(), uplinkBytes: 0, downlinkBytes: 0, attempts: 0 },
    ...others,
  }
}

/** A policy manager with one policy for all levels: core's defaults, but for what is given. */
export function testPolicies(policy: Partial<Policy> = {}): PolicyManager {
  const complete: Policy = { ...DEFAULT_POLICY, ...policy }
  return {
    forLevel: () => complete,
    system: { statsInboundUplink: false, statsInboundDownlink: false, statsOutboundUplink: false, statsOutboundDownlink: false },
  }
}
