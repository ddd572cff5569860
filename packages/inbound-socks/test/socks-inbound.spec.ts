import { ERROR_CODES, ProxyError, tcp, type ProxyErrorCode } from '@sluice/core'
import type { Socket } from 'node:net'
import { leakCounter, pattern, sha256, tcpPair, within } from '@sluice/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SocksInboundSettings } from '../src/index.js'
import { serve, type Served } from './served.js'

const GREETING = bytes('05 01 00')
const GREETING_PASSWORD = bytes('05 02 00 02')
const REQUEST = bytes('05 01 00 01 01 02 03 04 01 bb')
const GRANTED = reply(0)
const PASSWORD: SocksInboundSettings = { auth: 'password', accounts: [{ user: 'me', pass: 'secret' }], userLevel: 3 }

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

describe('SocksInbound without accounts', () => {
  it.each([
    ['05 01 00 01 01 02 03 04 01 bb', '1.2.3.4', 443],
    ['05 01 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 01 bb', '2001:db8::1', 443],
    ['05 01 00 03 0b 65 78 61 6d 70 6c 65 2e 63 6f 6d 00 50', 'example.com', 80],
  ])('C160 P39 dispatches %s as it is', async (request, host, port) => {
    const { client, whenDispatched } = await start()
    await client.send(Buffer.concat([GREETING, bytes(request)]))
    expect((await whenDispatched).request).toEqual({ target: tcp(host, port) })
  })

  it('C180 P40 says that the request is granted only when the link opens', async () => {
    const { client, whenDispatched } = await start()
    await client.send(GREETING)
    await client.expect(bytes('05 00'))
    await client.send(REQUEST)
    const { link } = await whenDispatched
    await client.expectSilence(50)
    link.open()
    await client.expect(GRANTED)
    link.open()
    await client.expectSilence(20)
    expect(link.opened).toBe(true)
  })

  it.each(Object.entries({ ...ERROR_CODES }))('C180 P40 answers the failure %s with its REP, and closes', async (code, { socks }) => {
    const { client, whenDispatched, handled } = await start()
    await client.send(Buffer.concat([GREETING, REQUEST]))
    ;(await whenDispatched).fail(new ProxyError(code as ProxyErrorCode, 'no'))
    await client.expect(Buffer.concat([bytes('05 00'), reply(socks)]))
    await client.expectEnd()
    await client.fin()
    await expect(handled).resolves.toBeUndefined()
  })

  it('C182 keeps what the client sent right behind its request', async () => {
    const { client, whenDispatched } = await start()
    const hello = pattern(10_000)
    await client.send(Buffer.concat([GREETING, REQUEST, hello]))
    const { link } = await whenDispatched
    link.open()
    const received: Buffer[] = []
    link.reader.on('data', (chunk: Buffer) => received.push(chunk)).resume()
    await client.fin()
    await new Promise((resolve) => link.reader.once('end', resolve))
    expect(sha256(Buffer.concat(received))).toBe(sha256(hello))
  })

  it('reads a negotiation that comes byte by byte', async () => {
    const { client, whenDispatched } = await start()
    await client.send(Buffer.concat([GREETING, REQUEST]), { chunk: 1 })
    expect((await whenDispatched).request.target).toEqual(tcp('1.2.3.4', 443))
  })

  it('P37 refuses a client that offers other methods only', async () => {
    const { client, sessions, log } = await start()
    await client.send(bytes('05 01 02'))
    await client.expect(bytes('05 ff'))
    await client.expectEnd()
    expect(sessions).toEqual([])
    expect(log[0]?.message).toMatch(/^Inbound "in" turned 127\.0\.0\.1:\d+ away: .*\[2\].*no authentication/)
  })

  it.each([
    ['BIND', '05 02 00'], ['UDP ASSOCIATE', '05 03 00'], ['an unknown command', '05 09 00'],
  ])('P39 refuses %s with REP 07', async (_, command) => {
    const { client, sessions } = await start({ udp: true })
    await client.send(Buffer.concat([GREETING, bytes(command), REQUEST.subarray(3)]))
    await client.expect(Buffer.concat([bytes('05 00'), reply(7)]))
    await client.expectEnd()
    expect(sessions).toEqual([])
  })

  it.each([
    ['C162 port 0', '05 01 00 01 01 02 03 04 00 00'],
    ['an empty host', '05 01 00 03 00 00 50'],
    ['a host with a line break', '05 01 00 03 03 61 0d 0a 00 50'],
    ['a host with a user', '05 01 00 03 03 61 40 62 00 50'],
    ['a host with a space', '05 01 00 03 03 61 20 62 00 50'],
    ['a host that is no UTF-8', '05 01 00 03 02 ff fe 00 50'],
    ['an unknown type of address', '05 01 00 05 01 02 03 04 00 50'],
  ])('refuses %s with REP 08', async (_, request) => {
    const { client, sessions } = await start()
    await client.send(Buffer.concat([GREETING, bytes(request)]))
    await client.expect(Buffer.concat([bytes('05 00'), reply(8)]))
    await client.expectEnd()
    expect(sessions).toEqual([])
  })

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')], ['TLS', bytes('16 03 01 02 00')], ['zeros', Buffer.alloc(70_000)],
  ])('ends the connection of a client that speaks %s', async (_, sent) => {
    const { client, handled, sessions } = await start()
    await client.send(sent)
    await client.expectEnd()
    await client.fin()
    await handled
    expect(sessions).toEqual([])
  })

  it('tells the level of the settings where nobody is authenticated', async () => {
    const { client, whenDispatched } = await start({ userLevel: 2 })
    await client.send(Buffer.concat([GREETING, REQUEST]))
    expect((await whenDispatched).request.user).toEqual({ name: '', level: 2 })
  })
})

describe('SocksInbound with accounts', () => {
  it('P38 lets an account in and tells who it is', async () => {
    const { client, whenDispatched } = await start(PASSWORD)
    await client.send(GREETING_PASSWORD)
    await client.expect(bytes('05 02'))
    await client.send(credentials('me', 'secret'))
    await client.expect(bytes('01 00'))
    await client.send(REQUEST)
    expect((await whenDispatched).request).toEqual({ target: tcp('1.2.3.4', 443), user: { name: 'me', level: 3 } })
  })

  it.each([
    ['me', 'wrong'], ['me', ''], ['you', 'secret'], ['', ''],
  ])('P38 refuses user %j with password %j, and does not read what follows', async (user, pass) => {
    const { client, sessions, log } = await start(PASSWORD)
    await client.send(Buffer.concat([GREETING_PASSWORD, credentials(user, pass), REQUEST]))
    await client.expect(bytes('05 02 01 01'))
    await client.expectEnd()
    expect(sessions).toEqual([])
    expect(JSON.stringify(log)).not.toContain('secret')
  })

  it('P37 never accepts a client without user and password', async () => {
    const { client, sessions } = await start(PASSWORD)
    await client.send(Buffer.concat([GREETING, REQUEST]))
    await client.expect(bytes('05 ff'))
    await client.expectEnd()
    expect(sessions).toEqual([])
  })

  it('P38 refuses a request in place of user and password', async () => {
    const { client, sessions } = await start(PASSWORD)
    await client.send(Buffer.concat([GREETING_PASSWORD, REQUEST]))
    await client.expect(bytes('05 02'))
    await client.expectEnd()
    expect(sessions).toEqual([])
  })
})

describe('SocksInbound and time', () => {
  const whole = Buffer.concat([GREETING_PASSWORD, credentials('me', 'secret'), REQUEST])

  it.each([0, 1, 3, 5, 14, 20])('T8 cuts a client that stops after %d bytes at the handshake limit', async (length) => {
    const startedAt = performance.now()
    const { client, connection, handled, sessions } = await start(PASSWORD, { handshakeMs: 80 })
    if (length > 0) await client.send(whole.subarray(0, length))
    await within(1_000, 'the cut', handled)
    expect(performance.now() - startedAt).toBeGreaterThan(75)
    expect(connection.destroyed).toBe(true)
    expect(sessions).toEqual([])
  })

  it('T8 gives a client that sends a byte now and then no more time', async () => {
    const { client, handled } = await start(PASSWORD, { handshakeMs: 100 })
    const sending = client.send(whole, { chunk: 1, gapMs: 20 }).catch(() => {})
    await expect(within(400, 'the cut', handled)).resolves.toBeUndefined()
    await sending
  })

  it('a session that was dispatched is under no limit of the inbound', async () => {
    const { client, connection, whenDispatched } = await start({}, { handshakeMs: 40 })
    await client.send(Buffer.concat([GREETING, REQUEST]))
    await whenDispatched
    await client.wait(120)
    expect(connection.destroyed).toBe(false)
  })

  it('P40 destroys the connection 10 s after a refusal if the client does not end it', async () => {
    const { client, connection, handled } = await start()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    await client.send(bytes('05 01 02'))
    await client.expect(bytes('05 ff'))
    await client.expectEnd()
    await vi.advanceTimersByTimeAsync(9_900)
    expect(connection.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(300)
    await handled
    expect(connection.destroyed).toBe(true)
  })

  it('destroys the connection of a client that answers a refusal with a flood', async () => {
    const { client, connection, handled } = await start()
    await client.send(bytes('05 01 02'))
    await client.expect(bytes('05 ff'))
    await client.expectEnd()
    await client.send(Buffer.alloc(4_000_000)).catch(() => {})
    await within(2_000, 'the connection to be destroyed', handled)
    expect(connection.destroyed).toBe(true)
  })
})

describe('SocksInbound and clients that leave', () => {
  const whole = Buffer.concat([GREETING_PASSWORD, credentials('me', 'secret'), REQUEST])

  it('nothing is left of clients that reset or end at any byte', async () => {
    const counter = leakCounter()
    for (let length = 0; length < whole.length; length++) {
      for (const leave of ['reset', 'fin'] as const) {
        const served = await serve(PASSWORD)
        if (length > 0) await served.client.send(whole.subarray(0, length))
        await served.client[leave]()
        await within(1_000, `the end after ${length} bytes and ${leave}`, served.handled)
        expect(served.sessions).toEqual([])
        await served.close()
      }
    }
    await counter.expectNoLeaks()
  })

  it('no timer is left once a request was read, was refused, or its client left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const [read, refused, left] = [await start(), await start(), await start()]
    expect(vi.getTimerCount()).toBe(1)
    await read.client.send(Buffer.concat([GREETING, REQUEST]))
    await read.whenDispatched
    await refused.client.send(bytes('05 01 02'))
    await refused.client.expect(bytes('05 ff'))
    await refused.client.fin()
    await refused.handled
    left.client.reset()
    await left.handled
    expect(vi.getTimerCount()).toBe(0)
  })

  it('a reset while the target is dialled closes the link\'s reader', async () => {
    const { client, whenDispatched, handled } = await start()
    await client.send(Buffer.concat([GREETING, REQUEST]))
    const { link, fail } = await whenDispatched
    const closed = new Promise((resolve) => link.reader.once('close', resolve))
    client.reset()
    await within(1_000, 'the reset to be seen', closed)
    fail(new ProxyError('ABORT', 'The client left'))
    await expect(handled).resolves.toBeUndefined()
  })

  it('nothing is left of a session that ended, nor a listener on its connection', async () => {
    const counter = leakCounter()
    const fresh = await tcpPair()
    const served = await serve()
    await served.client.send(Buffer.concat([GREETING, REQUEST]))
    const { end } = await served.whenDispatched
    expect(listeners(served.connection)).toEqual(listeners(fresh[1]))
    for (const socket of fresh) socket.destroy()
    end()
    await served.handled
    await served.close()
    await counter.expectNoLeaks()
  })
})

function listeners(connection: Socket): Record<string, number> {
  return Object.fromEntries(connection.eventNames().map((name) => [String(name), connection.listenerCount(name)]))
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

function reply(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
}

function credentials(user: string, pass: string): Buffer {
  return Buffer.concat([Buffer.from([1, user.length]), Buffer.from(user), Buffer.from([pass.length]), Buffer.from(pass)])
}
