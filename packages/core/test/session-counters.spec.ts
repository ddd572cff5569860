import { describe, expect, it } from 'vitest'
import { DEFAULT_POLICY, tcp, type Counter, type Policy, type PolicyManager, type StatsManager } from '../src/index.js'
import { Carrier, client, type Process } from './one-session.js'

class SumCounter implements Counter {
  #settled = 0
  readonly sources = new Set<() => number>()

  get value(): number {
    return [...this.sources].reduce((sum, read) => sum + read(), this.#settled)
  }

  add(bytes: number): void {
    this.#settled += bytes
  }

  attach(read: () => number): () => void {
    this.sources.add(read)
    return () => {
      if (this.sources.delete(read)) this.add(read())
    }
  }
}

class Sums implements StatsManager {
  readonly counters = new Map<string, SumCounter>()

  counter(name: string): SumCounter {
    const counter = this.counters.get(name) ?? new SumCounter()
    this.counters.set(name, counter)
    return counter
  }

  snapshot(): ReadonlyMap<string, number> {
    return new Map([...this.counters].map(([name, { value }]) => [name, value]))
  }
}

const ALL = { statsInboundUplink: true, statsInboundDownlink: true, statsOutboundUplink: true, statsOutboundDownlink: true }
const NONE = { statsInboundUplink: false, statsInboundDownlink: false, statsOutboundUplink: false, statsOutboundDownlink: false }
const COUNTED: Policy = { ...DEFAULT_POLICY, statsUserUplink: true, statsUserDownlink: true }

/** Users of level 1 are counted, and those of level 2 only as they send. */
function policies(system: PolicyManager['system']): PolicyManager {
  return { system, forLevel: (level) => (level === 1 ? COUNTED : { ...DEFAULT_POLICY, statsUserUplink: level === 2 }) }
}

/** Opens, moves some bytes, and fails where a failure is given. */
function moving(uplinkBytes: number, downlinkBytes: number, failure?: Error): Process {
  return async ({ record }, link) => {
    link.open()
    record.uplinkBytes += uplinkBytes
    record.downlinkBytes += downlinkBytes
    if (failure !== undefined) throw failure
  }
}

const dispatchAs = (carrier: Carrier, inboundTag: string, name?: string, level = 0): Promise<void> =>
  carrier.dispatch(client().link, { target: tcp('a', 1), ...(name === undefined ? {} : { user: { name, level } }) }, { inboundTag })

describe('the counters of a session', () => {
  it('are exactly the sums of the records, by inbound and by user', async () => {
    const stats = new Sums()
    const carrier = new Carrier({ out: moving(10, 100) }, { stats, policies: policies(ALL) })
    await dispatchAs(carrier, 'office', 'ann', 1)
    await dispatchAs(carrier, 'office', 'bob', 2)
    await dispatchAs(carrier, 'guests')
    await dispatchAs(carrier, 'guests', 'eve', 0)
    expect(Object.fromEntries(stats.snapshot())).toEqual({
      'inbound>>>office>>>traffic>>>uplink': 20, 'inbound>>>office>>>traffic>>>downlink': 200,
      'inbound>>>guests>>>traffic>>>uplink': 20, 'inbound>>>guests>>>traffic>>>downlink': 200,
      'user>>>ann>>>traffic>>>uplink': 10, 'user>>>ann>>>traffic>>>downlink': 100,
      'user>>>bob>>>traffic>>>uplink': 10,
    })
  })

  it('count while the session lives, and hold on to it no longer', async () => {
    const stats = new Sums()
    const carrier = new Carrier({ out: async ({ record }, link) => {
      link.open()
      record.uplinkBytes = 7
      expect(stats.counter('inbound>>>office>>>traffic>>>uplink').value).toBe(7)
      record.uplinkBytes = 9
    } }, { stats, policies: policies(ALL) })
    await dispatchAs(carrier, 'office')
    expect(stats.counter('inbound>>>office>>>traffic>>>uplink').value).toBe(9)
    expect([...stats.counters.values()].every(({ sources }) => sources.size === 0)).toBe(true)
  })

  it('are exact when the close of the session is told', async () => {
    const stats = new Sums()
    const carrier = new Carrier({ out: moving(3, 4, new Error('cut')) }, { stats, policies: policies(ALL) })
    const seen: number[] = []
    carrier.events.on('session:close', () => void seen.push(...stats.snapshot().values()))
    await dispatchAs(carrier, 'office')
    expect(seen).toEqual([3, 4])
  })

  it('are not kept where the policy does not ask for them, nor for handlers and users without a name', async () => {
    const stats = new Sums()
    const unasked = new Carrier({ out: moving(1, 1) }, { stats, policies: policies(NONE) })
    await dispatchAs(unasked, 'office', 'ann', 0)
    const nameless = new Carrier({ out: moving(1, 1) }, { stats, policies: policies(ALL) })
    await dispatchAs(nameless, '', '', 1)
    expect(stats.snapshot().size).toBe(0)
  })

  it('are not kept where statistics are off', async () => {
    const carrier = new Carrier({ out: moving(1, 1) }, { policies: policies(ALL) })
    await dispatchAs(carrier, 'office', 'ann', 1)
    expect(carrier.closed[0]?.record.outcome).toBe('closed')
  })
})
