import { describe, expect, it } from 'vitest'
import { attributeCondition, protocolCondition, userCondition } from '../src/condition/session-conditions.js'
import { factsOf } from './facts.js'

const http = { method: 'GET', scheme: 'http', path: '/a/b?q=1', headers: [['Accept', 'text/html'], ['X-a', '1'], ['x-A', '2']] } as const

describe('userCondition()', () => {
  const matches = (values: string[], name?: string): boolean =>
    userCondition('user', values).matches(factsOf('a', undefined, name === undefined ? {} : { user: { name, level: 0 } }))

  it('compares names exactly, and by expressions', () => {
    expect(matches(['ann'], 'ann')).toBe(true)
    expect(matches(['ann'], 'Ann')).toBe(false)
    expect(matches(['regexp:^a.*@x$'], 'ann@x')).toBe(true)
    expect(matches(['regexp:^a.*@x$'], 'Ann@x')).toBe(false)
    expect(matches(['regexp:.*'])).toBe(false)
  })
})

describe('protocolCondition()', () => {
  it('knows what was sniffed, and a plain request without', () => {
    const tls = factsOf('a', undefined, { sniffed: { protocol: 'tls' } })
    expect(protocolCondition('protocol', ['TLS']).matches(tls)).toBe(true)
    expect(protocolCondition('protocol', ['http']).matches(tls)).toBe(false)
    expect(protocolCondition('protocol', ['http1']).matches(factsOf('a', undefined, { http }))).toBe(true)
    expect(protocolCondition('protocol', ['http', 'tls']).matches(factsOf('a'))).toBe(false)
  })
})

describe('attributeCondition()', () => {
  const matches = (attributes: Record<string, string>): boolean => attributeCondition('attrs', attributes).matches(factsOf('a', undefined, { http }))

  it('wants every expression to hold', () => {
    expect(matches({ ':method': '^(GET|POST)$', ':PATH': '^/a/b$', accept: 'html' })).toBe(true)
    expect(matches({ ':method': 'POST' })).toBe(false)
    expect(matches({ ':method': 'get' })).toBe(false)
    expect(matches({ ':method': 'GET', cookie: '' })).toBe(false)
    expect(matches({ 'x-a': '2' })).toBe(false)
    expect(attributeCondition('attrs', { ':method': '' }).matches(factsOf('a'))).toBe(false)
  })
})
