import { fault, formatFault, isConfigError } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { locateFaults, parseConfig } from '../src/index.js'

const TEXT = `# the office
[[inbounds]]
protocol = "socks"
port = 1080

[[outbounds]]
protocol = "http"
[outbounds.settings]
servers = [{ address = "p.example", port = "3128" }]

[policy.levels.0]
handshake = 4
`

describe('parseConfig() with TOML', () => {
  it('reads values as JSON has them', () => {
    for (const text of [TEXT, `\uFEFF${TEXT}`]) {
      expect(parseConfig(text, { file: 'c.toml' }).config).toEqual({
        inbounds: [{ protocol: 'socks', port: 1080 }],
        outbounds: [{ protocol: 'http', settings: { servers: [{ address: 'p.example', port: '3128' }] } }],
        policy: { levels: { 0: { handshake: 4 } } },
      })
    }
    expect(parseConfig('a = 2026-01-01', { format: 'toml' }).config).toEqual({ a: '2026-01-01' })
  })

  it('tells faults by file and path', () => {
    const faults = locateFaults([fault(['inbounds', 0, 'port'], 'wrong')], parseConfig(TEXT, { file: 'c.toml' }))
    expect(faults.map(formatFault)).toEqual(['c.toml inbounds[0].port: wrong'])
  })

  it('tells the line of a fault in its syntax, and never the text', () => {
    const parse = (): unknown => parseConfig('a = 1\npass = "hunter2', { file: 'c.toml' })
    expect(parse).toThrow('c.toml:2:')
    expect(parse).toThrow(expect.not.stringContaining('hunter2') as string)
    try {
      parse()
    } catch (error) {
      expect(isConfigError(error) && error.message).not.toContain('hunter2')
    }
  })
})
