import { fault, formatFault } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { expandPorts, locateFaults, MAX_PORTS, mergeConfigs, parseConfig } from '../src/index.js'

function expand(value: unknown): { config: unknown, told: string[] } {
  const { config, remarks } = expandPorts(parseConfig(JSON.stringify(value)))
  return { config, told: remarks.map(({ severity, path, message }) => `${severity} ${path} ${message}`) }
}

describe('expandPorts()', () => {
  it('makes an inbound of each port, and rules name them all', () => {
    const rules = [{ inboundTag: 'x, in', outboundTag: 'a' }, { inboundTag: ['x'] }, { port: '1-2' }]
    const { config, told } = expand({ inbounds: [{ tag: 'x', port: 1 }, { tag: 'in', port: '1000-1002, 53' }, { port: '7-8' }], routing: { rules } })
    expect(config).toEqual({
      inbounds: [
        { tag: 'x', port: 1 }, { tag: 'in', port: 1000 }, { tag: 'in:1001', port: 1001 }, { tag: 'in:1002', port: 1002 },
        { tag: 'in:53', port: 53 }, { port: 7 }, { port: 8 },
      ],
      routing: { rules: [{ inboundTag: ['x', 'in', 'in:1001', 'in:1002', 'in:53'], outboundTag: 'a' }, ...rules.slice(1)] },
    })
    expect(told).toEqual([
      'notice inbounds[1].port is read as 4 inbounds, with the tags "in" to "in:53"', 'notice inbounds[2].port is read as 2 inbounds',
    ])
  })

  it.each(['2-1', '0-5', '1-70000', 'a-b', '1,,2', '-', '1080'])('leaves %j for the check', (port) => {
    expect(expand({ inbounds: [{ port }] })).toEqual({ config: { inbounds: [{ port }] }, told: [] })
  })

  it('refuses more ports than it takes', () => {
    expect(expand({ inbounds: [{ port: `1-${MAX_PORTS}` }] }).config).toMatchObject({ inbounds: { length: MAX_PORTS } })
    expect(expand({ inbounds: [{ port: `1-${MAX_PORTS + 1}` }] })).toEqual({
      config: { inbounds: [{ port: 1 }] }, told: [`error inbounds[0].port names ${MAX_PORTS + 1} ports, at most ${MAX_PORTS} are taken`],
    })
  })

  it('points to what was written, in the file where it was', () => {
    const files = ['{ "inbounds": [{ "tag": "a", "port": "1-2" }] }', '{ "inbounds": [{ "tag": "b", "port": 3 }] }']
    const [first, second] = files.map((text, index) => parseConfig(text, { file: `${index}.json` }))
    if (first === undefined || second === undefined) throw new Error('nothing was read')
    const document = expandPorts(mergeConfigs([first, second]))
    const faults = [1, 2].map((index) => fault(['inbounds', index, 'port'], 'wrong'))
    expect([...document.remarks, ...locateFaults(faults, document)].map(formatFault)).toEqual([
      '0.json:1:38 inbounds[0].port: is read as 2 inbounds, with the tags "a" to "a:2"',
      '0.json:1:38 inbounds[0].port: wrong',
      '1.json:1:38 inbounds[0].port: wrong',
    ])
  })
})
