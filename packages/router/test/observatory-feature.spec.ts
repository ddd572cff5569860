import { describe, expect, it } from 'vitest'
import { BURST_OBSERVATORY, OBSERVATORY } from '../src/index.js'
import { parseDuration } from '../src/observatory/parse-duration.js'
import { instanceOf, linesOf } from './instance.js'

const blind = (type: string): object => ({ balancers: [{ tag: 'b', selector: ['proxy'], strategy: { type } }] })

describe('the sections observatory and burstObservatory', () => {
  it('are there only if the config has them', () => {
    const instance = instanceOf(undefined, { observatory: { subjectSelector: ['proxy'] }, burstObservatory: { subjectSelector: [''] } })
    expect(instance.get(OBSERVATORY).health('proxy')).toBeUndefined()
    expect(instance.get(BURST_OBSERVATORY).health('proxy')).toBeUndefined()
    expect(() => instanceOf(undefined).get(OBSERVATORY)).toThrow()
  })

  it('are wanted by balancers that look at probes', () => {
    expect(linesOf(blind('leastPing'))).toEqual([
      'error routing.balancers[0].strategy.type: "leastPing" needs the section "observatory", which says how outbounds are probed',
    ])
    expect(linesOf(blind('leastLoad'))).toEqual([
      'error routing.balancers[0].strategy.type: "leastLoad" needs the section "burstObservatory", which says how outbounds are probed',
    ])
    expect(linesOf(blind('random'))).toEqual([])
    expect(linesOf(blind('leastPing'), { observatory: { subjectSelector: ['proxy'] } })).toEqual([])
  })

  it('have their faults told', () => {
    expect(linesOf(undefined, {
      observatory: { subjectSelector: ['x'], probeUrl: 'ftp://a', probeInterval: '10' },
      burstObservatory: { subjectSelector: ['proxy'], pingConfig: { destination: 'a', interval: '1s', timeout: 'x', connectivity: 'http://a' } },
    })).toEqual([
      'error observatory.subjectSelector: selects no outbound (known are "proxy", "direct")',
      'error observatory.probeUrl: must be an http or https URL, not "ftp://a"',
      'error observatory.probeInterval: must be a duration as "10s" or "1m30s", not "10"',
      'error burstObservatory.pingConfig.destination: must be an http or https URL, not "a"',
      'error burstObservatory.pingConfig.interval: must be from 10000 ms to 24 days, not "1s"',
      'error burstObservatory.pingConfig.timeout: must be a duration as "10s" or "1m30s", not "x"',
      'warning burstObservatory.pingConfig.connectivity: is ignored: a failure counts whatever the network is like',
    ])
    const settings = { maxRTT: 'x', baselines: ['1s', 'y'], costs: [{ regexp: true, match: '(', value: 1 }] }
    const observatory = { observatory: { subjectSelector: ['proxy'] } }
    expect(linesOf({ balancers: [{ tag: 'b', selector: ['proxy'], strategy: { type: 'leastLoad', settings } }] }, observatory)).toEqual([
      'error routing.balancers[0].strategy.settings.maxRTT: must be a duration as "10s", not "x"',
      'error routing.balancers[0].strategy.settings.baselines[1]: must be a duration as "10s", not "y"',
      expect.stringMatching(/^error routing\.balancers\[0\]\.strategy\.settings\.costs\[0\]\.match: "\(" is no regular expression/),
    ])
    expect(linesOf({ balancers: [{ tag: 'b', selector: ['proxy'], strategy: { type: 'random', settings: {} } }] })).toEqual([
      'warning routing.balancers[0].strategy.settings: is ignored: only leastLoad has settings',
    ])
  })
})

describe('parseDuration()', () => {
  it.each([['10s', 10_000], ['1m30s', 90_000], ['1.5h', 5_400_000], ['250ms', 250], ['10', undefined], ['', undefined], ['s', undefined], ['-1s', undefined], ['1d', undefined]])('reads %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })
})
