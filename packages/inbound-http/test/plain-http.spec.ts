import {
  connectTo, createCertificates, flushed, leakCounter, pattern, Peer, scriptedUpstream, sha256, startHttpTarget,
  startTarget, until, untilSteady,
} from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { forwardingOutbound } from './forwarding-outbound.js'
import { get, post, Proxied, respondWith, sharedProxied, WAYS } from './proxied.js'

const MIB = 1_048_576

describe.each(WAYS)('HttpInbound and plain requests, by %s', (way) => {
  const proxied = sharedProxied({ way })

  it('P42 passes a GET on in origin-form and its answer back', async () => {
    await using target = await respondWith('HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-Of: target\r\n\r\nhello')
    const client = await proxied.client()
    await client.send(get(target, '/a/b?c=d'))
    expect(await client.expectHead()).toBe('HTTP/1.1 200 Fine\r\nX-Of: target\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n')
    await client.expect('hello')
    expect(target.requests).toEqual([`GET /a/b?c=d HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nConnection: close\r\n\r\n`])
  })

  it('passes the answer to a HEAD on without a body, and goes on', async () => {
    await using target = await startHttpTarget()
    const client = await proxied.client()
    await client.send(get(target, '/x').replace('GET', 'HEAD'))
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    await client.send(get(target, '/y'))
    expect(await client.expectHead()).toMatch(/\r\nContent-Length: 6\r\n/)
    await client.expect('GET /y')
  })

  it.each([
    ['a length', 'Content-Length: 5\r\n', 'hello', 'hello'],
    ['chunks', 'Transfer-Encoding: chunked\r\n', '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', 'hello'],
    ['a length of 0', 'Content-Length: 0\r\n', '', 'POST /'], ['no word about it', '', '', 'POST /'],
  ])('passes a POST on whose body has %s', async (_, fields, body, answer) => {
    await using target = await startHttpTarget()
    const client = await proxied.client()
    await client.send(post(target, fields, body))
    expect(await client.expectHead()).toMatch(new RegExp(`\\r\\nContent-Length: ${answer.length}\\r\\n`))
    await client.expect(answer)
    expect(target.requests).toMatchObject([{ method: 'POST', url: '/', body: Buffer.from(answer === 'hello' ? answer : '') }])
  })

  it.each([
    ['204', 'HTTP/1.1 204 No Content\r\nX: y\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 204 No Content\r\nX: y\r\nConnection: keep-alive\r\n\r\n'],
    ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n'],
    ['no reason', 'HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 299 \r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok'],
    ['a body up to the end', 'HTTP/1.1 200 OK\r\n\r\nok',
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0\r\nA: b\r\n\r\n',
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ])('passes an answer on with %s, and goes on', async (_, sent, expected) => {
    await using target = await respondWith(sent)
    const client = await proxied.client()
    for (let count = 0; count < 2; count++) {
      await client.send(get(target))
      await client.expect(Buffer.from(expected, 'latin1'))
    }
    await client.expectSilence(20)
  })

  it('carries 8 MiB each way at once', async () => {
    await using target = await startHttpTarget((_, response) => void response.end(pattern(8 * MIB)))
    const client = await proxied.client()
    const body = pattern(8 * MIB, 1)
    await client.send(post(target, `Content-Length: ${body.length}\r\n`, ''))
    await client.send(body)
    await client.expectHead()
    expect(sha256(await client.expectBytes(8 * MIB))).toBe(sha256(pattern(8 * MIB)))
    expect(sha256(target.requests[0]?.body ?? Buffer.alloc(0))).toBe(sha256(body))
  })

  it('serves requests to different targets on one connection, each in a session of its own', async () => {
    await using first = await startHttpTarget()
    await using second = await startHttpTarget()
    await using proxied = await Proxied.start({ way })
    const client = await proxied.client()
    for (const target of [first, second, first, second]) {
      await client.send(post(target, 'Content-Length: 4\r\n', 'ping'))
      await client.expectHead()
      await client.expect('ping')
    }
    expect([first.requests.length, second.requests.length]).toEqual([2, 2])
    await until(() => proxied.ended.length === 4, 'the sessions to end')
    expect(new Set(proxied.ended.map(({ id }) => id)).size).toBe(4)
    for (const { record, target } of proxied.ended) {
      const sent = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nping`
      expect(record).toMatchObject({ outcome: 'closed', uplinkBytes: sent.length })
      expect(record.downlinkBytes).toBeGreaterThan('HTTP/1.1 200 OK\r\n\r\nping'.length)
      expect(record.downlinkBytes).toBeLessThan(300)
    }
  })

  it('serves 200 clients at once, and leaves nothing behind', async () => {
    await using target = await startHttpTarget()
    const counter = leakCounter()
    {
      await using proxied = await Proxied.start({ way })
      await Promise.all(Array.from({ length: 200 }, async (_, index) => {
        const client = await proxied.client()
        for (const path of [`/${index}`, `/${index}/again`]) {
          await client.send(get(target, path))
          await client.expectHead()
          await client.expect(`GET ${path}`)
        }
        await client.fin()
        await client.expectEnd()
      }))
      expect(target.requests).toHaveLength(400)
      await until(() => proxied.ended.length === 400, 'the sessions to end')
      expect(new Set(proxied.ended.map(({ record }) => record.outcome))).toEqual(new Set(['closed']))
    }
    await counter.expectNoLeaks()
  })
})

describe('HttpInbound and the fields of plain requests', () => {
  const proxied = sharedProxied()

  it('P42 T12 passes no field on that is this connection\'s own, in either direction', async () => {
    await using target = await respondWith([
      'HTTP/1.1 200 OK', 'Connection: close, X-Hop', 'Keep-Alive: timeout=5', 'X-Hop: 1', 'Proxy-Authenticate: Basic',
      'Proxy-Connection: close', 'Proxy-Authentication-Info: x', 'Trailer: X', 'Upgrade: h2c', 'TE: x',
      'Set-Cookie: a=1', 'X-End: 2', 'Set-Cookie: b=2', 'Content-Length: 0', '', '',
    ].join('\r\n'))
    const client = await proxied.client()
    await client.send(get(target, '/', [
      'Connection: keep-alive, x-hop', 'CONNECTION: X-Other', 'Keep-Alive: 5', 'X-Hop: 1', 'x-other: 1',
      'Proxy-Authorization: Basic bWU6eA==',
      'Proxy-Connection: keep-alive', 'TE: trailers', 'Trailer: X', 'Upgrade: h2c', 'Cookie: a=1', 'X-End: 2',
      'Authorization: Basic eW91Ong=', '',
    ].join('\r\n')))
    expect(await client.expectHead()).toBe([
      'HTTP/1.1 200 OK', 'Set-Cookie: a=1', 'X-End: 2', 'Set-Cookie: b=2', 'Content-Length: 0', 'Connection: keep-alive', '', '',
    ].join('\r\n'))
    expect(target.requests).toEqual([[
      'GET / HTTP/1.1', `Host: 127.0.0.1:${target.port}`, 'Cookie: a=1', 'X-End: 2', 'Authorization: Basic eW91Ong=', 'Connection: close',
      '', '',
    ].join('\r\n')])
  })

  it('passes every byte of a value on as it is', async () => {
    const name = 'attachment; filename="d\xc3\xa9j\xc3\xa0 \xff\xa0.zip"'
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Disposition: ${name}\r\nX: \xe9\r\n\r\n`
    await using target = await respondWith(Buffer.from(answer, 'latin1'))
    const client = await proxied.client()
    await client.send(Buffer.from(post(target, `Content-Length: 2\r\nContent-Disposition: ${name}\r\nX:\t\xe9 \r\n`, 'ok'), 'latin1'))
    expect(await client.expectHead()).toContain(`\r\nContent-Disposition: ${name}\r\nX: \xe9\r\n`)
    expect(target.requests[0]).toContain(`\r\nContent-Disposition: ${name}\r\nX: \xe9\r\n`)
  })

  it.each([
    ['http://127.0.0.1:PORT', '/', '127.0.0.1:PORT'], ['http://127.0.0.1:PORT?a', '/?a', '127.0.0.1:PORT'],
    ['HTTP://127.0.0.1:PORT/%7Ea//b/../c;d?e=f?g', '/%7Ea//b/../c;d?e=f?g', '127.0.0.1:PORT'],
    ['http://LocalHost:PORT/', '/', 'LocalHost:PORT'],
  ])('P42 asks for %s by path and Host, which replaces the one that came', async (url, path, host) => {
    await using target = await respondWith('HTTP/1.1 204 No Content\r\n\r\n')
    const client = await proxied.client()
    const port = String(target.port)
    await client.send(`GET ${url.replace('PORT', port)} HTTP/1.1\r\nHost: somebody.else\r\n\r\n`)
    await client.expectHead()
    expect(target.requests).toEqual([`GET ${path} HTTP/1.1\r\nHost: ${host.replace('PORT', port)}\r\nConnection: close\r\n\r\n`])
  })

  it('asks the server itself by "*" for OPTIONS without a path', async () => {
    await using target = await respondWith('HTTP/1.1 204 No Content\r\n\r\n')
    const client = await proxied.client()
    for (const path of ['', '/']) {
      await client.send(`OPTIONS http://127.0.0.1:${target.port}${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      await client.expectHead()
    }
    expect(target.requests.map((head) => head.split(' ')[1])).toEqual(['*', '/'])
  })

  it('takes origin-form where allowTransparent is set, and then goes by Host', async () => {
    await using target = await respondWith('HTTP/1.1 204 No Content\r\n\r\n')
    await using proxied = await Proxied.start({ settings: { allowTransparent: true } })
    const client = await proxied.client()
    await client.send(`GET /a HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n\r\n`)
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 204 /)
    expect(target.requests).toEqual([`GET /a HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nConnection: close\r\n\r\n`])
    expect(await proxied.answerTo('GET /a HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await proxied.answerTo('GET /a HTTP/1.1\r\nHost: a@b\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  })

  it.each([257, 2_000])('T8 refuses a request with %d fields with 431', async (count) => {
    expect(await proxied.answerTo(`GET http://a/ HTTP/1.1\r\n${'A: b\r\n'.repeat(count)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('T8 refuses a head of more than 64 KiB with 431, and takes one of 60 KiB', async () => {
    await using target = await respondWith('HTTP/1.1 204 No Content\r\n\r\n')
    expect(await proxied.answerTo(get(target, '/', `A: ${'x'.repeat(70_000)}\r\n`))).toMatch(/^HTTP\/1\.1 431 /)
    expect(await proxied.answerTo(get(target, '/', `A: ${'x'.repeat(60_000)}\r\n`))).toMatch(/^HTTP\/1\.1 204 /)
    expect(target.requests[0]).toContain(`A: ${'x'.repeat(60_000)}\r\n`)
  })
})

describe('HttpInbound and clients of HTTP/1.0', () => {
  const proxied = sharedProxied()

  it('needs no Host, answers without chunks and ends the connection', async () => {
    await using target = await respondWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')
    const client = await proxied.client()
    await client.send(`GET http://127.0.0.1:${target.port}/ HTTP/1.0\r\nExpect: 100-continue\r\n\r\n`)
    await client.expect('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello')
    await client.expectEnd()
    expect(target.requests).toEqual([`GET / HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nConnection: close\r\n\r\n`])
  })

  it('keeps the connection if asked to, where the length is known', async () => {
    await using target = await respondWith('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const client = await proxied.client()
    for (let count = 0; count < 2; count++) {
      await client.send(`GET http://127.0.0.1:${target.port}/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`)
      await client.expect('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok')
    }
  })
})

describe('HttpInbound and back-pressure of plain requests', () => {
  it('C149 stops to take an answer that its client does not read', async () => {
    const bytes = 64 * MIB
    await using target = await startTarget('source', { bytes: Infinity, banner: '' })
    await using proxied = await Proxied.start()
    const client = new Peer(await connectTo(proxied.port), { paused: true })
    await client.send(get(target))
    const connection = await target.connection(0)
    const sent = await untilSteady(() => connection.sentBytes, 'the target to stop')
    expect(sent).toBeLessThan(bytes)
    client.socket.destroy()
    await until(() => connection.closed, 'the target to be let go')
  })

  it('C151 stops to take a body that the target does not read, and passes all of it on later', async () => {
    await using target = await startTarget('sink', { paused: true })
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    const bytes = 48 * MIB
    let taken = 0
    client.socket.write(post(target, `Content-Length: ${bytes}\r\n`, ''))
    const write = (): void => {
      while (taken < bytes) {
        taken += MIB
        if (!client.socket.write(pattern(MIB, taken - MIB))) return
      }
    }
    client.socket.on('drain', write)
    write()
    expect(await untilSteady(() => taken, 'the client to be stopped')).toBeLessThan(32 * MIB)
    const connection = await target.connection(0)
    connection.socket.resume()
    await until(() => connection.receivedBytes > bytes, 'the rest', 10_000)
  })
})

describe('HttpInbound and requests sent ahead', () => {
  const proxied = sharedProxied()

  it('answers them in order, one after the other', async () => {
    await using slow = await startHttpTarget((_, response) => void setTimeout(() => response.end('slow'), 60))
    await using fast = await startHttpTarget((_, response) => void response.end('fast'))
    const client = await proxied.client()
    await client.send(get(slow, '/1') + post(fast, 'Content-Length: 5\r\n', 'hello') + get(slow, '/3') + get(fast, '/4'))
    await until(() => slow.requests.length === 1, 'the first request')
    expect(fast.requests).toEqual([])
    for (const body of ['slow', 'fast', 'slow', 'fast']) {
      await client.expectHead()
      await client.expect(body)
    }
    expect(fast.requests.map(({ url, body }) => [url, String(body)])).toEqual([['/', 'hello'], ['/4', '']])
  })

  it('takes 100, and cuts a client that sends more', async () => {
    await using target = await startHttpTarget()
    const client = await proxied.client()
    await client.send(get(target).repeat(100))
    for (let count = 0; count < 100; count++) {
      await client.expectHead()
      await client.expect('GET /')
    }
    await client.send(get(target).repeat(2_000)).catch(() => {})
    await client.expectReset()
    await until(() => proxied.instance.connections().length === 0, 'the session to end')
  })

  it('answers what came before something that is no HTTP', async () => {
    await using target = await startHttpTarget()
    const client = await proxied.client()
    await client.send(`${get(target, '/1')}${get(target, '/2')}GET nonsense\r\n\r\n`)
    for (const path of ['/1', '/2']) {
      await client.expectHead()
      await client.expect(`GET ${path}`)
    }
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 400 /)
    await client.expect(/PROTO[^]*\n$/)
    await client.expectEnd()
  })

  it('cuts a client that asks for a tunnel ahead of its answers', async () => {
    await using target = await startHttpTarget()
    for (const second of ['CONNECT a:1 HTTP/1.1\r\n\r\n', get(target, '/', 'Connection: upgrade\r\nUpgrade: websocket\r\n')]) {
      const client = await proxied.client()
      await client.send(get(target) + second)
      await client.expectReset()
    }
    await until(() => proxied.instance.connections().length === 0, 'the sessions to end')
  })

  it('forgets those whose client left before their turn', async () => {
    await using target = await scriptedUpstream([])
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    await client.send(get(target, '/1') + get(target, '/2'))
    await (await target.peer(0)).expectHead()
    await client.reset()
    await until(() => proxied.ended.length === 1, 'the session to end')
    await flushed()
    expect(target.connections).toBe(1)
    expect(proxied.instance.connections()).toEqual([])
  })
})

describe('HttpInbound and CONNECT behind plain requests', () => {
  it('opens a tunnel on the connection, with the bytes behind it', async () => {
    await using web = await startHttpTarget()
    await using echo = await startTarget('echo')
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    await client.send(get(web))
    await client.expectHead()
    await client.expect('GET /')
    const payload = pattern(200_000)
    await client.send(`CONNECT 127.0.0.1:${echo.port} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await client.send(payload)
    await client.fin()
    await client.expect('HTTP/1.1 200 Connection established\r\n\r\n')
    expect(sha256(await client.expectBytes(payload.length))).toBe(sha256(payload))
    await client.expectEnd()
    await until(() => proxied.ended.length === 2, 'the sessions to end')
    expect(proxied.ended[1]?.record).toMatchObject({ outcome: 'closed', uplinkBytes: payload.length, downlinkBytes: payload.length })
  })

  it.each([
    ['no port', 'CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n'], ['two Host fields', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['content', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
  ])('refuses one with %s', async (_, request) => {
    await using web = await startHttpTarget()
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    await client.send(get(web))
    await client.expectHead()
    await client.expect('GET /')
    await client.send(request)
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 400 /)
    await client.expect(/\n$/)
    await client.expectEnd()
    expect(proxied.log.filter(({ message }) => message.includes('turned'))).toHaveLength(1)
  })
})

describe('HttpInbound with accounts and plain requests', () => {
  const settings = { accounts: [{ user: 'me', pass: 'secret' }] }
  const credentials = `Proxy-Authorization: Basic ${Buffer.from('me:secret').toString('base64')}\r\n`

  it('P5 T12 lets an account in, tells who it is, and keeps its password', async () => {
    await using target = await startHttpTarget()
    await using proxied = await Proxied.start({ settings })
    const client = await proxied.client()
    for (let count = 0; count < 2; count++) {
      await client.send(get(target, '/', credentials))
      await client.expectHead()
      await client.expect('GET /')
    }
    expect(JSON.stringify(target.requests)).not.toMatch(/proxy-auth/i)
    await until(() => proxied.ended.length === 2, 'the sessions to end')
    expect(proxied.ended.map(({ user }) => user)).toEqual([{ name: 'me', level: 0 }, { name: 'me', level: 0 }])
  })

  it('T2 answers each request without credentials with 407, whatever came before', async () => {
    await using target = await startHttpTarget()
    await using proxied = await Proxied.start({ settings })
    expect(await proxied.answerTo(get(target))).toMatch(/^HTTP\/1\.1 407 [^]*\r\nProxy-Authenticate: Basic [^]*\r\nConnection: close\r\n/)
    const answer = await proxied.answerTo(get(target, '/', credentials) + get(target) + get(target, '/', credentials))
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 407'])
    expect(target.requests).toHaveLength(1)
    const behind = await proxied.answerTo(`${get(target, '/', credentials)}`)
    expect(behind).toMatch(/^HTTP\/1\.1 200 /)
    expect(JSON.stringify(proxied.log)).not.toContain('secret')
  })

  it('T2 asks for them on a CONNECT behind plain requests, too', async () => {
    await using target = await startHttpTarget()
    await using proxied = await Proxied.start({ settings })
    const client = await proxied.client()
    await client.send(get(target, '/', credentials))
    await client.expectHead()
    await client.expect('GET /')
    await client.send(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 407 /)
  })
})

describe('HttpInbound and plain requests over an outbound that is a proxy\'s', () => {
  it('writes the head in absolute-form, with the fields that the outbound adds', async () => {
    await using target = await respondWith('HTTP/1.1 204 No Content\r\n\r\n')
    await using proxied = await Proxied.start({ outbound: forwardingOutbound(target.port) })
    const client = await proxied.client()
    await client.send('GET http://example.test:81/a?b HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\n')
    await client.send('OPTIONS http://example.test HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.expectHead()
    await client.expectHead()
    const added = ['Proxy-Authorization: Basic dTpw', 'Connection: close']
    expect(target.requests).toEqual([
      ['GET http://example.test:81/a?b HTTP/1.1', 'Host: example.test:81', 'X: y', ...added, '', ''],
      ['OPTIONS http://example.test HTTP/1.1', 'Host: example.test', ...added, '', ''],
    ].map((lines) => lines.join('\r\n')))
  })

  it('never passes an upstream\'s 407 on', async () => {
    await using target = await respondWith('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n')
    await using proxied = await Proxied.start({ outbound: forwardingOutbound(target.port) })
    expect(await proxied.answerTo('GET http://a/ HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 [^]*\nAUTH: /)
  })

  it('answers 500 if the outbound adds a field that cannot be written, and the session is cut', async () => {
    await using target = await scriptedUpstream([])
    await using proxied = await Proxied.start({ outbound: forwardingOutbound(target.port, 'a\r\nb') })
    const answer = await proxied.answerTo('GET http://a/ HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 500 /)
    expect(answer).not.toContain('header')
    await until(() => proxied.ended.length === 1, 'the session to end')
    expect(proxied.ended[0]?.record.outcome).toBe('aborted')
  })
})

describe('HttpInbound and plain requests over TLS', () => {
  it('serves requests, a CONNECT behind them, and resets its client when an answer is cut', async () => {
    const certificates = await createCertificates()
    await using web = await startHttpTarget()
    await using echo = await startTarget('echo')
    await using broken = await respondWith('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')
    await using proxied = await Proxied.start({ certificates })
    const client = await proxied.client()
    for (const path of ['/1', '/2']) {
      await client.send(get(web, path))
      await client.expectHead()
      await client.expect(`GET ${path}`)
    }
    await client.send(`CONNECT 127.0.0.1:${echo.port} HTTP/1.1\r\nHost: x\r\n\r\nhello`)
    await client.expect('HTTP/1.1 200 Connection established\r\n\r\nhello')
    await client.fin()
    await client.expectEnd()
    const other = await proxied.client()
    await other.send(get(broken))
    await other.expectReset()
  })
})
