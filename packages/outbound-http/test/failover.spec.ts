import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { InstanceEvents, type Dialer, type ProxyError } from '@sluice/core'
import { closedPort, leakCounter, testContext, until, type ScriptedUpstream } from '@sluice/testkit'
import type { HttpOutbound } from '../src/index.js'
import { answer, createOutbound, dialer, serverOf, startUpstream, TARGET, WIRES } from './harness.js'

const [overTcp] = WIRES
if (overTcp === undefined) throw new Error('no wire')
const OK = answer('HTTP/1.1 200 OK\r\n\r\n')

/** Opens a tunnel and closes it. @returns the server that carried it. */
async function open(outbound: HttpOutbound, over: Dialer = overTcp?.dialer ?? dialer()): Promise<string | undefined> {
  const ctx = testContext({ target: TARGET })
  const connection = await outbound.connect(ctx, over)
  connection.destroy()
  return ctx.record.server
}

const failing = (outbound: HttpOutbound, over?: Dialer): Promise<ProxyError> =>
  open(outbound, over).then(() => { throw new Error('opened') }, (error: unknown) => error as ProxyError)

/** Notes when something is dialled. */
function counted(dials: number[]): Dialer {
  const real = dialer()
  return {
    dial: (to, options) => {
      dials.push(performance.now())
      return real.dial(to, options)
    },
  }
}

const requestsOf = (upstreams: readonly ScriptedUpstream[]): number[] => upstreams.map(({ requests }) => requests.length)

afterEach(() => { vi.useRealTimers() })

describe('Failover', () => {
  it('C066 a server that cannot be dialled costs no pause: the next one has the tunnel', async () => {
    await using upstream = await startUpstream(overTcp, OK)
    const servers = [{ address: '127.0.0.1', port: await closedPort() }, serverOf(upstream)]
    const tookMs: number[] = []
    for (let run = 0; run < 5; run++) {
      const startedAt = performance.now()
      expect(await open(createOutbound({ servers }))).toBe(`127.0.0.1:${upstream.port}`)
      tookMs.push(performance.now() - startedAt)
    }
    // The quickest, for a machine may have other things to do.
    expect(Math.min(...tookMs)).toBeLessThan(20)
  })

  it('C066 all servers are down: the error names each once, and at most 1 s goes by', async () => {
    const ports = [await closedPort(), await closedPort()]
    const dials: number[] = []
    const outbound = createOutbound({ servers: ports.map((port) => ({ address: '127.0.0.1', port })) })
    const startedAt = performance.now()
    const error = await failing(outbound, counted(dials))
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(error).toMatchObject({ code: 'DIAL', side: 'upstream', phase: 'dial' })
    expect(error.attempts).toHaveLength(5)
    for (const port of ports) expect(error.message.split(`127.0.0.1:${port}`)).toHaveLength(2)
    expect(dials.length).toBeLessThanOrEqual(5)
  })

  it('C068 three servers take 300 tunnels in turn', async () => {
    const upstreams = await Promise.all([1, 2, 3].map(() => startUpstream(overTcp, OK)))
    const outbound = createOutbound({ servers: upstreams.map((upstream) => serverOf(upstream)) })
    for (let tunnels = 0; tunnels < 300; tunnels += 30) await Promise.all(Array.from({ length: 30 }, () => open(outbound)))
    expect(requestsOf(upstreams)).toEqual([100, 100, 100])
    for (const upstream of upstreams) await upstream.close()
  })

  it('C068 a dead server loses no tunnel, rests, and is probed by one session after that', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    await using upstream = await startUpstream(overTcp, OK)
    const dead = await closedPort()
    const outbound = createOutbound({ servers: [{ address: '127.0.0.1', port: dead }, serverOf(upstream)] })
    const deadDials = async (): Promise<number> => {
      const dialled: number[] = []
      const real = dialer()
      const watching: Dialer = {
        dial: (to, options) => {
          dialled.push(to.port)
          return real.dial(to, options)
        },
      }
      await Promise.all(Array.from({ length: 10 }, () => open(outbound, watching)))
      return dialled.filter((port) => port === dead).length
    }
    expect(await open(outbound)).toBe(`127.0.0.1:${upstream.port}`)
    expect(await deadDials()).toBe(0)
    vi.advanceTimersByTime(1_250)
    expect(await deadDials()).toBe(1)
    vi.advanceTimersByTime(1_250)
    expect(await deadDials()).toBe(0)
    vi.advanceTimersByTime(1_200)
    expect(await deadDials()).toBe(1)
  })

  it('tells when a server goes down and when it is back', async () => {
    const port = await closedPort()
    const events = new InstanceEvents()
    const told: string[] = []
    events.on('server:down', ({ outboundTag, server, error, restMs }) => {
      expect(restMs).toBeGreaterThanOrEqual(800)
      told.push(`${outboundTag} ${server} down: ${error.code}`)
    })
    events.on('server:up', ({ outboundTag, server }) => told.push(`${outboundTag} ${server} up`))
    const outbound = createOutbound({ servers: [{ address: '127.0.0.1', port }] }, {}, events)
    const opening = open(outbound)
    await until(() => told.length > 0, 'the server to be down')
    const server = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    })
    await once(server.listen(port, '127.0.0.1'), 'listening')
    await opening
    server.close()
    expect(told).toEqual([`out 127.0.0.1:${port} down: DIAL`, `out 127.0.0.1:${port} up`])
  })
})

describe('A crowd at a server that is down', () => {
  it.each([
    ['whose first dial fails', false],
    ['that worked before', true],
  ])('G9 1,000 sessions dial a server %s at most five times a second', async (_, isWarm) => {
    const counter = leakCounter()
    const upstream = await startUpstream(overTcp, OK)
    const events = new InstanceEvents()
    const downs: number[] = []
    events.on('server:down', () => downs.push(performance.now()))
    const outbound = createOutbound({ servers: [serverOf(upstream)] }, {}, events)
    const dials: number[] = []
    const over = counted(dials)
    if (isWarm) await open(outbound, over)
    await upstream.close()
    if (isWarm) await failing(outbound, over)
    const errors = await Promise.all(Array.from({ length: 1_000 }, () => failing(outbound, over)))
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['DIAL']))
    const [knownAt = 0] = downs
    const seconds = (performance.now() - knownAt) / 1_000
    const repeated = dials.filter((at) => at > knownAt)
    expect(repeated.length).toBeGreaterThan(0)
    expect(repeated.length).toBeLessThanOrEqual(Math.ceil(seconds * 5))
    expect(downs.length).toBeLessThanOrEqual(repeated.length + 1)
    await counter.expectNoLeaks(100)
  })
})

describe('Retry-After', () => {
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toUTCString()

  it.each([
    ['429 and a second', 429, () => '1', 1_000],
    ['503 and a second', 503, () => '1', 1_000],
    ['a date in 5 s', 503, () => inSeconds(5), 5_000],
    ['99999 s, of which 30 count', 503, () => '99999', 30_000],
    ['a negative time', 503, () => '-1', 0],
    ['no time at all', 503, () => 'soon', 0],
    ['a date that is over', 503, () => inSeconds(-5), 0],
  ])('C062 %s: the server has the next tunnel only after that', async (_, status, value, restMs) => {
    vi.useFakeTimers({ toFake: ['performance'] })
    await using busy = await startUpstream(overTcp, answer(`HTTP/1.1 ${status} busy\r\nRetry-After: ${value()}\r\n\r\n`))
    await using other = await startUpstream(overTcp, OK)
    const outbound = createOutbound({ servers: [serverOf(busy), serverOf(other)] })
    expect(await open(outbound)).toBe(`127.0.0.1:${other.port}`)
    expect(requestsOf([busy, other])).toEqual([1, 1])
    if (restMs > 0) {
      // A date has no fractions.
      vi.advanceTimersByTime(restMs - 1_001 > 0 ? restMs - 1_001 : restMs - 100)
      await open(outbound)
      await open(outbound)
      expect(requestsOf([busy, other])).toEqual([1, 3])
      vi.advanceTimersByTime(1_001)
    }
    await open(outbound)
    expect(requestsOf([busy])).toEqual([2])
  })

  it('C062 a lone server is not asked again by the same tunnel, but by the next one', async () => {
    await using busy = await startUpstream(overTcp, answer('HTTP/1.1 503 busy\r\nRetry-After: 1\r\n\r\n'))
    const outbound = createOutbound({ servers: [serverOf(busy)] })
    expect(await failing(outbound)).toMatchObject({ code: 'STATUS', status: 503, retryAfterMs: 1_000 })
    expect(requestsOf([busy])).toEqual([1])
    await failing(outbound)
    expect(requestsOf([busy])).toEqual([2])
  })
})
