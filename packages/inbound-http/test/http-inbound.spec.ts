import type { Socket } from 'node:net'
import { ProxyError, tcp } from '@sluice/core'
import { leakCounter, pattern, sha256, tcpPair, within } from '@sluice/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { HttpInboundSettings } from '../src/index.js'
import { serve, type Served } from './served.js'

const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n'
const ACCOUNTS: HttpInboundSettings = { accounts: [{ user: 'me', pass: 'secret' }], userLevel: 3 }
const CREDENTIALS = `Proxy-Authorization: Basic ${Buffer.from('me:secret').toString('base64')}\r\n`

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

/** What a client that sends this is answered, up to the end of the connection. */
async function answerTo(request: string | Buffer, ...values: Parameters<typeof serve>): Promise<string> {
  const { client, sessions, handled } = await start(...values)
  await client.send(request)
  await client.fin()
  await within(1_000, 'the end', handled)
  await client.closed
  expect(sessions).toEqual([])
  return client.received.toString()
}

describe('HttpInbound and CONNECT', () => {
  it.each([
    ['1.2.3.4:443', '1.2.3.4', 443], ['[2001:db8::1]:443', '2001:db8::1', 443], ['example.com:80', 'example.com', 80],
    ['Example.COM:1', 'Example.COM', 1], ['_dmarc.x:65535', '_dmarc.x', 65_535],
  ])('C160 dispatches %s', async (target, host, port) => {
    const { client, whenDispatched } = await start()
    await client.send(connect(target))
    expect((await whenDispatched).request).toEqual({ target: tcp(host, port) })
  })

  it.each([
    'a:0', 'a:65536', 'a:-1', 'a:80 ', 'a:+80', 'a:0x50', 'a:080', 'a:', 'a', ':80', '443', 'http://a:80/', 'a:80/', '/', '*', 'u@a:80',
    'a%20b:80', '[a]:80', '[1.2.3.4]:80', '::1:80', 'a:1:2', '[::1]', '',
  ])('C162 answers the target %j with 400', async (target) => {
    expect(await answerTo(connect(target))).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  })

  it('C180 answers 200 only when the link opens', async () => {
    const { client, whenDispatched } = await start()
    await client.send(connect('a:1'))
    const { link } = await whenDispatched
    await client.expectSilence(50)
    link.open()
    await client.expect(ESTABLISHED)
    link.open()
    await client.expectSilence(20)
    expect(link.opened).toBe(true)
  })

  it('C180 answers a failure truthfully and closes', async () => {
    const { client, whenDispatched, handled } = await start()
    await client.send(connect('a:1'))
    ;(await whenDispatched).fail(new ProxyError('TIMEOUT', 'Server s:1 gave no answer to CONNECT within 10 ms'))
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 504 Gateway Timeout\r\n[^]*\r\nConnection: close\r\n/)
    await client.expect(/^TIMEOUT: Server s:1 gave no answer[^]*\n$/)
    await client.expectEnd()
    await client.fin()
    await handled
  })

  it('C182 keeps what the client sent right behind its request', async () => {
    const { client, whenDispatched } = await start()
    const hello = pattern(10_000)
    await client.send(Buffer.concat([Buffer.from(connect('a:1')), hello]))
    const { link } = await whenDispatched
    const received: Buffer[] = []
    link.open()
    link.reader.on('data', (chunk: Buffer) => received.push(chunk)).resume()
    await client.fin()
    await new Promise((resolve) => link.reader.once('end', resolve))
    expect(sha256(Buffer.concat(received))).toBe(sha256(hello))
  })

  it('reads a head that comes byte by byte', async () => {
    const { client, whenDispatched } = await start()
    await client.send(connect('a:1'), { chunk: 1 })
    expect((await whenDispatched).request.target).toEqual(tcp('a', 1))
  })

  it('serves a client of HTTP/1.0 that sends no Host', async () => {
    const { client, whenDispatched } = await start()
    await client.send('CONNECT a:1 HTTP/1.0\r\n\r\n')
    ;(await whenDispatched).link.open()
    expect(await client.expectHead()).toBe(ESTABLISHED)
  })

  it.each([
    ['Content-Length: 5', 400], ['Transfer-Encoding: chunked', 400], ['Content-Length: 0\r\nTransfer-Encoding: chunked', 400],
    ['Content-Length: 0\r\nContent-Length: 5', 400], ['Content-Length: +0', 400], ['Content-Length : 0', 400],
  ])('T7 answers a CONNECT with %j with %d', async (field, status) => {
    expect(await answerTo(`CONNECT a:1 HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\nhello`)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })

  it('takes "Content-Length: 0" for what it says', async () => {
    const { client, whenDispatched } = await start()
    await client.send('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 0\r\n\r\n')
    expect((await whenDispatched).request.target).toEqual(tcp('a', 1))
  })

  it('tells the level of the settings where nobody is authenticated', async () => {
    const { client, whenDispatched } = await start({ userLevel: 2 })
    await client.send(connect('a:1', CREDENTIALS))
    expect((await whenDispatched).request.user).toEqual({ name: '', level: 2 })
  })
})

describe('HttpInbound and requests that it does not serve', () => {
  it.each([
    'GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'POST ftp://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  ])('answers %j with 501', async (request) => {
    const answer = await answerTo(request)
    expect(answer).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/)
    expect(answer).toMatch(/\r\n\r\nUNSUPPORTED: Scheme .*\nHint: use CONNECT/)
  })

  it.each([
    ['P42 a folded field', 'CONNECT a:1 HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 400], ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), 400], ['a line of 20 KiB', `CONNECT ${'a'.repeat(20_480)}`, 414],
    ['a field of 20 KiB', `CONNECT a:1 HTTP/1.1\r\nA: ${'a'.repeat(20_480)}`, 431],
  ])('answers %s', async (_, request, status) => {
    const answer = await answerTo(request)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain('\r\nConnection: close\r\n')
  })

  it('logs whom it turned away, and why', async () => {
    const { client, log } = await start()
    await client.send('CONNECT a HTTP/1.1\r\n\r\n')
    await client.expectHead()
    expect(log.map(({ level }) => level)).toEqual(['info'])
    expect(log[0]?.message).toMatch(/^Inbound "in" turned 127\.0\.0\.1:\d+ away: Cannot connect to "a"$/)
  })
})

describe('HttpInbound with accounts', () => {
  it('lets an account in, tells who it is, and keeps its password', async () => {
    const { client, whenDispatched } = await start(ACCOUNTS)
    await client.send(connect('a:1', CREDENTIALS))
    expect((await whenDispatched).request).toEqual({ target: tcp('a', 1), user: { name: 'me', level: 3 } })
  })

  it.each([
    ['no credentials', ''],
    ['a wrong password', `Proxy-Authorization: Basic ${Buffer.from('me:wrong').toString('base64')}\r\n`],
    ['an unknown user', `Proxy-Authorization: Basic ${Buffer.from('you:secret').toString('base64')}\r\n`],
    ['another scheme', 'Proxy-Authorization: Digest username="me"\r\n'],
    ['two fields', CREDENTIALS + CREDENTIALS],
    ['the field of an origin', CREDENTIALS.replace('Proxy-', '')],
  ])('T2 answers %s with 407', async (_, fields) => {
    const answer = await answerTo(connect('a:1', fields), ACCOUNTS)
    expect(answer).toMatch(/^HTTP\/1\.1 407 Proxy Authentication Required\r\n/)
    expect(answer).toContain('\r\nProxy-Authenticate: Basic realm="sluice"')
    expect(answer).toContain('\r\nConnection: close\r\n')
  })

  it('T2 asks for credentials before it says anything of the request', async () => {
    expect(await answerTo('GET http://a/ HTTP/1.1\r\n\r\n', ACCOUNTS)).toMatch(/^HTTP\/1\.1 407 /)
    expect(await answerTo(connect('nonsense'), ACCOUNTS)).toMatch(/^HTTP\/1\.1 407 /)
  })
})

describe('HttpInbound and time', () => {
  it('T8 tells a client whose head stays incomplete 408 at the handshake limit', async () => {
    const { client, handled } = await start({}, { handshakeMs: 80 })
    const sending = client.send(connect('a:1'), { chunk: 1, gapMs: 20 }).catch(() => {})
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    await sending
    await client.fin()
    await handled
  })

  it('T8 cuts a client that never sent anything without a word', async () => {
    const { client, connection, handled } = await start({}, { handshakeMs: 80 })
    await within(1_000, 'the cut', handled)
    expect(connection.destroyed).toBe(true)
    await client.expectEnd()
  })

  it('destroys the connection 10 s after an answer if the client does not end it', async () => {
    const { client, connection, handled } = await start()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    await client.send('GET / HTTP/1.0\r\n\r\n')
    await client.expect(/^HTTP[^]*Hint[^\n]*\n$/)
    await client.expectEnd()
    await vi.advanceTimersByTimeAsync(9_900)
    expect(connection.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(300)
    await handled
    expect(connection.destroyed).toBe(true)
  })

  it('destroys the connection of a client that answers with a flood', async () => {
    const { client, connection, handled } = await start()
    await client.send('GET / HTTP/1.0\r\n\r\n')
    await client.expect(/^HTTP[^]*Hint[^\n]*\n$/)
    await client.send(Buffer.alloc(4_000_000)).catch(() => {})
    await within(2_000, 'the connection to be destroyed', handled)
    expect(connection.destroyed).toBe(true)
  })

  it('answers in spite of an upload that nobody reads', async () => {
    const { client } = await start()
    const head = Buffer.from('POST https://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n')
    await client.send(Buffer.concat([head, Buffer.alloc(500_000)]))
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 501 /)
    await client.expect(/\nHint[^\n]*\n$/)
    await client.expectEnd()
  })
})

describe('HttpInbound and clients that leave', () => {
  it('nothing is left of clients that reset or end at any byte', async () => {
    const counter = leakCounter()
    const whole = connect('a:1')
    for (let length = 0; length < whole.length; length += 3) {
      for (const leave of ['reset', 'fin'] as const) {
        const served = await serve()
        if (length > 0) await served.client.send(whole.slice(0, length))
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
    await read.client.send(connect('a:1'))
    await read.whenDispatched
    await refused.client.send('GET / HTTP/1.0\r\n\r\n')
    await refused.client.expect(/^HTTP[^]*Hint[^\n]*\n$/)
    await refused.client.fin()
    await refused.handled
    left.client.reset()
    await left.handled
    expect(vi.getTimerCount()).toBe(0)
  })

  it('a reset while the target is dialled closes the link\'s reader', async () => {
    const { client, whenDispatched, handled } = await start()
    await client.send(connect('a:1'))
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
    await served.client.send(connect('a:1'))
    const { end } = await served.whenDispatched
    expect(listeners(served.connection)).toEqual(listeners(fresh[1]))
    for (const socket of fresh) socket.destroy()
    end()
    await served.handled
    await served.close()
    await counter.expectNoLeaks()
  })
})

function connect(target: string, fields = ''): string {
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${fields}\r\n`
}

function listeners(connection: Socket): Record<string, number> {
  return Object.fromEntries(connection.eventNames().map((name) => [String(name), connection.listenerCount(name)]))
}
