import { ConfigError, DEFAULT_POLICY, POLICY_MANAGER, type Config, type Fault } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import type { PolicySettings } from '../src/index.js'
import { instanceOf } from './instance.js'

const policiesOf = (policy: PolicySettings) => instanceOf({ policy }).get(POLICY_MANAGER)

function faultsOf(policy: unknown): readonly Fault[] {
  try {
    return instanceOf({ policy } as Config).remarks
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

const lines = (policy: unknown) => faultsOf(policy).map(({ severity, path, message, hint = '' }) => `${severity} ${path}: ${message}${hint === '' ? '' : ` (${hint})`}`)

describe('forLevel()', () => {
  it('converts seconds and their fractions to milliseconds', () => {
    const policies = policiesOf({ levels: { 3: { handshake: 4.5, connIdle: 0.25, uplinkOnly: 1, downlinkOnly: 7 } } })
    expect(policies.forLevel(3)).toEqual({ ...DEFAULT_POLICY, handshakeMs: 4_500, connIdleMs: 250, uplinkOnlyMs: 1_000, downlinkOnlyMs: 7_000 })
  })

  it('leaves what a level does not say at the default', () => {
    expect(policiesOf({ levels: { 1: { connIdle: 60 } } }).forLevel(1)).toEqual({ ...DEFAULT_POLICY, connIdleMs: 60_000 })
  })

  it('gives a level that the config does not name the defaults, not those of level 0', () => {
    const policies = policiesOf({ levels: { 0: { connIdle: 1 } } })
    expect(policies.forLevel(0).connIdleMs).toBe(1_000)
    expect(policies.forLevel(1)).toBe(DEFAULT_POLICY)
  })

  it('takes 0 as it is and never rounds a limit down to it', () => {
    const { handshakeMs, connIdleMs, uplinkOnlyMs } = policiesOf({ levels: { 0: { handshake: 0, connIdle: 0.000_1, uplinkOnly: 0.000_6 } } }).forLevel(0)
    expect([handshakeMs, connIdleMs, uplinkOnlyMs]).toEqual([0, 1, 1])
  })

  it('returns the same frozen object every time', () => {
    const policies = policiesOf({ levels: { 4294967295: { statsUserUplink: true, statsUserDownlink: true } } })
    const policy = policies.forLevel(4_294_967_295)
    expect(policy).toMatchObject({ statsUserUplink: true, statsUserDownlink: true })
    expect(policies.forLevel(4_294_967_295)).toBe(policy)
    expect(Object.isFrozen(policy)).toBe(true)
  })
})

describe('system', () => {
  it('has every switch off where the section is absent', () => {
    expect(instanceOf({}).get(POLICY_MANAGER).system).toEqual({
      statsInboundUplink: false, statsInboundDownlink: false, statsOutboundUplink: false, statsOutboundDownlink: false,
    })
  })

  it('switches on what the config names and nothing else', () => {
    const { system } = policiesOf({ system: { statsInboundUplink: true, statsOutboundDownlink: true } })
    expect(system).toEqual({ statsInboundUplink: true, statsInboundDownlink: false, statsOutboundUplink: false, statsOutboundDownlink: true })
    expect(Object.isFrozen(system)).toBe(true)
  })
})

describe('the check of the section', () => {
  it('tells all faults at once, each with its path', () => {
    expect(lines({
      levels: { abc: {}, 0: { handshake: -1, connIdel: 5 }, 1: { connIdle: '300' } },
      system: { statsInboundUplink: 1 },
      level: {},
    })).toEqual([
      'error policy.level: unknown key (did you mean "levels"?)',
      'error policy.levels.abc: unknown key (keys are user levels, whole numbers from 0 to 4294967295)',
      'error policy.levels["0"].connIdel: unknown key (did you mean "connIdle"?)',
      'error policy.levels["0"].handshake: must be >= 0, not -1',
      'error policy.levels["1"].connIdle: must be a number, not a string',
      'error policy.system.statsInboundUplink: must be a boolean, not a number',
    ])
  })

  it.each(['-1', '1.5', '01', '1e3', ' 1', '', '99999999999', '__proto__', 'constructor'])('refuses the level %j', (key) => {
    const levels = JSON.parse(`{${JSON.stringify(key)}: {}}`) as unknown
    expect(faultsOf({ levels })).toEqual([expect.objectContaining({ severity: 'error', message: 'unknown key' })])
  })

  it('refuses a level beyond 32 bits', () => {
    expect(lines({ levels: { 4294967296: {} } })).toEqual(['error policy.levels["4294967296"]: must be at most 4294967295'])
  })

  it('refuses durations that no timer can keep', () => {
    expect(lines({ levels: { 0: { connIdle: 2_147_484 } } })).toEqual(['error policy.levels["0"].connIdle: must be <= 2147483, not 2147484'])
  })

  it('warns of settings that have no effect here, and goes on', () => {
    expect(lines({ levels: { 0: { bufferSize: 512, statsUserOnline: true } }, system: { overrideAccessLogDest: true } })).toEqual([
      'warning policy.levels["0"].bufferSize: is ignored: the streams of Node keep their own high-water marks',
      'warning policy.levels["0"].statsUserOnline: is ignored: users who are online are not counted',
      'warning policy.system.overrideAccessLogDest: is ignored: the access log always names the target that the client asked for',
    ])
  })
})

describe('PolicySettings', () => {
  it('makes a wrong setting a compile error', () => {
    // @ts-expect-error a duration is a number
    const wrongType: Config = { policy: { levels: { 0: { connIdle: '300' } } } }
    // @ts-expect-error there is no such setting
    const wrongName: Config = { policy: { levels: { 0: { idle: 300 } } } }
    expect([wrongType, wrongName].every((config) => faultsOf((config as { policy: unknown }).policy).length === 1)).toBe(true)
  })
})
