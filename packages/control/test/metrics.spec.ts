import { closedPort, connectProxy, startTarget, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { LabelValues, OTHER } from '../src/label-values.js'
import { watched, type Watched } from './watched.js'

/** Samples without comments and process metrics, as `name{labels}` → value. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith('sluice_'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

const ended = (all: Watched): Promise<void> => until(() => all.instance.connections().length === 0, 'the sessions to end')

describe('GET /metrics', () => {
  it('counts sessions, bytes and attempts, those of live sessions too', async () => {
    await using target = await startTarget('echo')
    await using all = await watched()
    const client = await all.open(target.port)
    await client.send('hello')
    await client.expect('hello')
    const live = samples(await all.metrics())
    expect(live.get('sluice_sessions_open{inbound="in",outbound="direct"}')).toBe(1)
    expect(live.get('sluice_bytes_total{outbound="direct",direction="uplink"}')).toBe(5)
    expect(live.get('sluice_session_connect_seconds_count{outbound="direct"}')).toBe(1)
    expect(live.get('sluice_session_duration_seconds_count{outbound="direct"}')).toBeUndefined()
    await client.fin()
    await client.expectEnd()
    await ended(all)
    const after = samples(await all.metrics())
    expect(after.get('sluice_sessions_open{inbound="in",outbound="direct"}')).toBeUndefined()
    expect(after.get('sluice_sessions_total{inbound="in",outbound="direct",outcome="closed"}')).toBe(1)
    expect(after.get('sluice_bytes_total{outbound="direct",direction="downlink"}')).toBe(5)
    expect(after.get('sluice_attempts_total{outbound="direct"}')).toBe(1)
    expect(after.get('sluice_retries_total{outbound="direct"}')).toBe(0)
    expect(after.get('sluice_session_duration_seconds_count{outbound="direct"}')).toBe(1)
    expect(after.get('sluice_session_bytes_sum{outbound="direct",direction="uplink"}')).toBe(5)
    expect(after.get('sluice_session_bytes_bucket{le="1000",outbound="direct",direction="uplink"}')).toBe(1)
  })

  it('counts retries, failures by code, and servers that rest', async () => {
    await using target = await startTarget('echo')
    await using upstream = await connectProxy()
    const dead = await closedPort()
    await using all = await watched({
      outbounds: [{
        protocol: 'http',
        tag: 'pool',
        settings: { servers: [{ address: '127.0.0.1', port: dead }, { address: '127.0.0.1', port: upstream.port }] },
      }, { protocol: 'http', tag: 'gone', settings: { servers: [{ address: '127.0.0.1', port: dead }] } }],
    })
    // Servers are used in turn, so that of two sessions one at least meets the dead one.
    const clients = [await all.open(target.port), await all.open(target.port)]
    const text = await all.metrics()
    const figures = samples(text)
    expect(figures.get('sluice_retries_total{outbound="pool"}')).toBe(1)
    expect(figures.get('sluice_attempts_total{outbound="pool"}')).toBe(3)
    expect(figures.get(`sluice_server_up{outbound="pool",server="127.0.0.1:${dead}"}`)).toBe(0)
    expect(figures.get(`sluice_server_up{outbound="pool",server="127.0.0.1:${upstream.port}"}`)).toBe(1)
    expect(figures.get(`sluice_server_downs_total{outbound="pool",server="127.0.0.1:${dead}",code="DIAL"}`)).toBe(1)
    for (const client of clients) client.reset()
    await ended(all)
    const aborted = samples(await all.metrics())
    expect(aborted.get('sluice_sessions_total{inbound="in",outbound="pool",outcome="aborted"}')).toBe(2)
    expect(aborted.get('sluice_session_failures_total{outbound="pool",code="ABORT"}')).toBe(2)
  })

  it('counts a session that failed to open, and not among the durations', async () => {
    const dead = await closedPort()
    await using all = await watched()
    await all.open(dead)
    await ended(all)
    const figures = samples(await all.metrics())
    expect(figures.get('sluice_session_failures_total{outbound="direct",code="DIAL"}')).toBe(1)
    expect(figures.get('sluice_sessions_total{inbound="in",outbound="direct",outcome="failed"}')).toBe(1)
    expect(figures.get('sluice_session_duration_seconds_count{outbound="direct"}')).toBeUndefined()
  })

  it('names no target, user or secret, and tells of the process too', async () => {
    await using target = await startTarget('echo')
    await using all = await watched()
    await all.open(target.port)
    const response = await all.ask('/metrics')
    const text = await response.text()
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toMatch(/^process_cpu_seconds_total /m)
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m)
    for (const secret of ['ann', String(target.port)]) expect(text).not.toMatch(new RegExp(`\\b${secret}\\b`))
  })

  it('keeps the figures of two instances apart', async () => {
    await using target = await startTarget('echo')
    await using one = await watched()
    await using other = await watched()
    await one.open(target.port)
    expect(samples(await one.metrics()).get('sluice_attempts_total{outbound="direct"}')).toBe(1)
    expect(samples(await other.metrics()).get('sluice_attempts_total{outbound="direct"}')).toBeUndefined()
  })
})

describe('LabelValues', () => {
  it('tells a bounded number of values apart', () => {
    const values = new LabelValues(2)
    expect(['a', 'b', 'c', 'a', undefined].map((value) => values.of(value))).toEqual(['a', 'b', OTHER, 'a', OTHER])
  })
})
