import { formatFault, type Fault } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { locateFaults, mergeConfigs, normalizeConfig, parseConfig, type ConfigDocument } from '../src/index.js'

const read = (file: string, value: unknown): ConfigDocument => normalizeConfig(parseConfig(JSON.stringify(value), { file }))
const fault = (path: string): Fault => ({ path, message: 'x', severity: 'error' })

describe('mergeConfigs()', () => {
  it('takes later sections whole, and handlers by their tags', () => {
    const { config } = mergeConfigs([
      read('a', { log: { access: 'a', loglevel: 'debug' }, inbounds: [{ tag: 'x', port: 1 }, { port: 2 }], outbounds: [{ tag: 'p' }] }),
      read('b', { log: { access: 'b' }, inbounds: [{ tag: 'x', port: 3 }, { port: 4 }], outbounds: [{ tag: 'q' }, { tag: 'r' }] }),
      read('tail.json', { outbounds: [{ tag: 's' }] }),
    ])
    expect(config).toEqual({
      log: { access: 'b' },
      inbounds: [{ tag: 'x', port: 3 }, { port: 2 }, { port: 4 }],
      outbounds: [{ tag: 'q' }, { tag: 'r' }, { tag: 'p' }, { tag: 's' }],
    })
  })

  it('locates faults in the file that holds the place', () => {
    const merged = mergeConfigs([read('a', { outbounds: [{ tag: 'p' }], log: 1 }), read('b', { log: 2, outbound: { tag: 'q' } })])
    expect(locateFaults([fault('outbounds[0].tag'), fault('outbounds[1].tag'), fault('log'), fault('')], merged).map(formatFault)).toEqual([
      'b:1:28 outbound.tag: x', 'a:1:22 outbounds[0].tag: x', 'b:1:8 log: x', 'a:1:1: x',
    ])
  })

  it('hands a single config on, and one that is no object to the check', () => {
    const single = read('a', {})
    expect(mergeConfigs([single])).toBe(single)
    expect(mergeConfigs([single, read('b', 5)]).config).toBe(5)
  })
})
