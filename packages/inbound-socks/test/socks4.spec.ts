import { ERROR_CODES, ProxyError, tcp, type ProxyErrorCode } from '@sluice/core'
import { leakCounter, pattern, sha256, within } from '@sluice/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SocksInboundSettings } from '../src/index.js'
import { serve, type Served } from './served.js'

const REQUEST = bytes('04 01 01 bb 01 02 03 04 6d 65 00')
const REQUEST_4A = Buffer.concat([bytes('04 01 00 50 00 00 00 01 00'), Buffer.from('example.com\0')])
const VERSIONS: [string, Buffer][] = [['4', REQUEST], ['4a', REQUEST_4A]]
const GRANTED = bytes('00 5a 00 00 00 00 00 00')
const REJECTED = bytes('00 5b 00 00 00 00 00 00')
const PASSWORD: SocksInboundSettings = { auth: 'password', accounts: [{ user: 'me', pass: 'secret' }] }

const open: Served[] = []
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(open.splice(0).map((served) => served.close()))
})

async function start(...values: Parameters<typeof serve>): Promise<Served> {
  const served = await serve(...values)
  open.push(served)
  return served
}

describe('SocksInbound and SOCKS4', () => {
  it.each([
    ['an address', REQUEST, '1.2.3.4', 443], ['a name', REQUEST_4A, 'example.com', 80],
    ['a name that is an address', Buffer.concat([bytes('04 01 00 50 00 00 00 07 00'), Buffer.from('2001:db8::1\0')]), '2001:db8::1', 80],
    ['an address without a user id', bytes('04 01 00 50 c0 00 02 01 00'), '192.0.2.1', 80],
  ])('C160 P39 dispatches %s as it is', async (_, request, host, port) => {
    const { client, whenDispatched } = await start()
    await client.send(request)
    expect((await whenDispatched).request).toEqual({ target: tcp(host, port) })
  })

  it.each(VERSIONS)('C180 P40 says in %s that the request is granted only when the link opens', async (_, request) => {
    const { client, whenDispatched } = await start()
    await client.send(request)
    const { link } = await whenDispatched
    await client.expectSilence(50)
    link.open()
    await client.expect(GRANTED)
    link.open()
    await client.expectSilence(20)
    expect(link.opened).toBe(true)
  })

  it.each(Object.keys(ERROR_CODES))('C180 P40 rejects after the failure %s, and closes', async (code) => {
    const { client, whenDispatched, handled } = await start()
    await client.send(REQUEST_4A)
    ;(await whenDispatched).fail(new ProxyError(code as ProxyErrorCode, 'no'))
    await client.expect(REJECTED)
    await client.expectEnd()
    await client.fin()
    await expect(handled).resolves.toBeUndefined()
  })

  it.each(VERSIONS)('C182 keeps what the client sent right behind its request in %s', async (_, request) => {
    const { client, whenDispatched } = await start()
    const hello = pattern(10_000)
    await client.send(Buffer.concat([request, hello]))
    const { link } = await whenDispatched
    link.open()
    const received: Buffer[] = []
    link.reader.on('data', (chunk: Buffer) => received.push(chunk)).resume()
    await client.fin()
    await new Promise((resolve) => link.reader.once('end', resolve))
    expect(sha256(Buffer.concat(received))).toBe(sha256(hello))
  })

  it('reads a request that comes byte by byte', async () => {
    const { client, whenDispatched } = await start()
    await client.send(REQUEST_4A, { chunk: 1 })
    expect((await whenDispatched).request.target).toEqual(tcp('example.com', 80))
  })

  it('tells the level of the settings, and takes the user id for nobody', async () => {
    const { client, whenDispatched } = await start({ userLevel: 2 })
    await client.send(REQUEST)
    expect((await whenDispatched).request.user).toEqual({ name: '', level: 2 })
  })

  it.each(VERSIONS)('P37 rejects %s where a password is wanted, whatever the user id', async (_, request) => {
    const { client, sessions, log } = await start(PASSWORD)
    await client.send(request)
    await client.expect(REJECTED)
    await client.expectEnd()
    expect(sessions).toEqual([])
    expect(log[0]?.level).toBe('info')
    expect(log[0]?.message).toMatch(/^Inbound "in" turned 127\.0\.0\.1:\d+ away: .*SOCKS4/)
  })

  it.each([
    ['BIND', bytes('04 02 00 50 01 02 03 04 00')], ['an unknown command', bytes('04 09 00 50 01 02 03 04 00')],
    ['C162 port 0', bytes('04 01 00 00 01 02 03 04 00')], ['an empty name', bytes('04 01 00 50 00 00 00 01 00 00')],
    ['a name with a line break', bytes('04 01 00 50 00 00 00 01 00 61 0d 0a 00')],
    ['a name with a user', bytes('04 01 00 50 00 00 00 01 00 61 40 62 00')],
    ['a name that is no UTF-8', bytes('04 01 00 50 00 00 00 01 00 ff fe 00')],
    ['a user id of 256 bytes', Buffer.concat([bytes('04 01 00 50 01 02 03 04'), Buffer.alloc(256, 'a')])],
    ['a name of 256 bytes', Buffer.concat([bytes('04 01 00 50 00 00 00 01 00'), Buffer.alloc(256, 'a')])],
  ])('P39 rejects %s and closes', async (_, request) => {
    const { client, sessions, handled } = await start()
    await client.send(request)
    await client.expect(REJECTED)
    await client.expectEnd()
    await client.fin()
    await handled
    expect(sessions).toEqual([])
  })
})

describe('SocksInbound, SOCKS4 and time', () => {
  it.each([1, 4, 8, 10, 15, 20])('T8 cuts a client that stops after %d bytes at the handshake limit', async (length) => {
    const { client, connection, handled, sessions } = await start({}, { handshakeMs: 80 })
    const startedAt = performance.now()
    await client.send(REQUEST_4A.subarray(0, length))
    await within(1_000, 'the cut', handled)
    expect(performance.now() - startedAt).toBeGreaterThan(70)
    expect(connection.destroyed).toBe(true)
    expect(sessions).toEqual([])
  })

  it('T8 cuts a client that sends a user id without end at its bound', async () => {
    const { client, handled } = await start({}, { handshakeMs: 60_000 })
    await client.send(Buffer.concat([REQUEST.subarray(0, 8), Buffer.alloc(4_000_000, 'a')])).catch(() => {})
    await within(2_000, 'the cut', handled)
  })

  it('P40 destroys the connection 10 s after a rejection if the client does not end it', async () => {
    const { client, connection, handled } = await start()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    await client.send(bytes('04 02 00 50 01 02 03 04 00'))
    await client.expect(REJECTED)
    await client.expectEnd()
    await vi.advanceTimersByTimeAsync(9_900)
    expect(connection.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(300)
    await handled
    expect(connection.destroyed).toBe(true)
  })
})

describe('SocksInbound and clients of SOCKS4 that leave', () => {
  it('nothing is left of clients that reset or end at any byte', async () => {
    const counter = leakCounter()
    for (let length = 0; length < REQUEST_4A.length; length++) {
      for (const leave of ['reset', 'fin'] as const) {
        const served = await serve()
        if (length > 0) await served.client.send(REQUEST_4A.subarray(0, length))
        await served.client[leave]()
        await within(1_000, `the end after ${length} bytes and ${leave}`, served.handled)
        expect(served.sessions).toEqual([])
        await served.close()
      }
    }
    await counter.expectNoLeaks()
  })
})

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}
