import { afterEach, describe, expect, it, vi } from 'vitest'
import { InstanceEvents, ProxyError, type ProxyErrorCode, type ProxyErrorOptions } from '@sluice/core'
import { HealthReport } from '../src/health-report.js'
import { Server } from '../src/server.js'

interface Reported {
  readonly report: HealthReport
  readonly server: Server
  /** The events, a line each. */
  readonly told: string[]
  readonly fail: (code: ProxyErrorCode, options?: ProxyErrorOptions, target?: string) => void
}

function reported(): Reported {
  const events = new InstanceEvents()
  const told: string[] = []
  events.on('server:down', ({ outboundTag, server, error, restMs }) => {
    const rest = restMs > 700 && restMs < 1_300 ? '1 s' : restMs
    told.push(`${outboundTag}: ${server} down by ${error.code}, ${rest}`)
  })
  events.on('server:up', ({ outboundTag, server }) => told.push(`${outboundTag}: ${server} up`))
  const server = new Server({ address: 'proxy.test', port: 1, users: [{ user: 'me' }] }, 'propagate')
  const account = server.accounts[0]
  if (account === undefined) throw new Error('no account')
  const report = new HealthReport(events, 'out')
  return {
    report, server, told,
    fail: (code, options = {}, target = 'a:1') => {
      const error = new ProxyError(code, 'x', { server: server.name, phase: 'connect', ...options })
      report.failed({ server, account, limitMs: 0 }, error, target, performance.now())
    },
  }
}

afterEach(() => { vi.useRealTimers() })

describe('HealthReport', () => {
  it.each<[ProxyErrorCode, ProxyErrorOptions]>([
    ['DNS', {}], ['DIAL', {}], ['TLS', {}], ['CERT', {}], ['ALPN', {}], ['TIMEOUT', { phase: 'dial' }], ['TIMEOUT', { phase: 'tls' }],
  ])('sets a server aside at once for %s, and says so', (code, options) => {
    const { fail, server, told } = reported()
    fail(code, options)
    expect(server.health.isResting).toBe(true)
    expect(told).toEqual([`out: proxy.test:1 down by ${code}, 1 s`])
  })

  it.each<ProxyErrorCode>(['TIMEOUT', 'CLOSED'])('sets a server aside for the third %s of CONNECT, on two targets', (code) => {
    const { fail, told } = reported()
    fail(code)
    fail(code)
    fail(code)
    expect(told).toEqual([])
    fail(code, {}, 'b:1')
    expect(told).toEqual([`out: proxy.test:1 down by ${code}, 1 s`])
  })

  it.each<ProxyErrorCode>(['AUTH', 'STATUS', 'PROTO', 'LIMIT', 'REFUSED'])('takes %s for a sign of life', (code) => {
    const { fail, server, told } = reported()
    fail('DIAL')
    fail(code)
    expect(server.health.isResting).toBe(false)
    expect(told.at(-1)).toBe('out: proxy.test:1 up')
  })

  it('lets a server rest that asks for it, which is no fault', () => {
    const { fail, server, told } = reported()
    fail('STATUS', { retryAfterMs: 60_000 })
    expect(server.health.isResting).toBe(true)
    expect(told).toEqual([])
  })

  it('says once that a server is back', () => {
    const { fail, report, server, told } = reported()
    fail('DIAL')
    report.succeeded({ server, limitMs: 0 })
    report.succeeded({ server, limitMs: 0 })
    expect(told).toHaveLength(2)
  })

  it.each<ProxyErrorCode>(['AUTH', 'DIAL', 'STATUS'])('learns nothing of a server from %s of another one on the way to it', (code) => {
    const { fail, server, told } = reported()
    fail('DIAL')
    fail(code, { server: 'outer.test:1', retryAfterMs: 60_000 })
    expect(server.accounts[0]?.refusal).toBeUndefined()
    expect(told).toHaveLength(1)
  })

  it('lets another session probe when the probing one was cancelled', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { fail, report, server } = reported()
    fail('DIAL')
    vi.advanceTimersByTime(2_000)
    expect(server.health.admit()).toBeUndefined()
    expect(server.health.isResting).toBe(true)
    report.failed({ server, limitMs: 0 }, undefined, 'a:1', performance.now())
    expect(server.health.isResting).toBe(false)
  })

  it('keeps an account that was let in before', () => {
    const { fail, report, server } = reported()
    const account = server.accounts[0]
    if (account === undefined) throw new Error('no account')
    report.succeeded({ server, account, limitMs: 0 })
    fail('AUTH')
    expect(server.usableAccounts).toEqual([account])
  })
})
