import {
  closedPort, connectTo, leakCounter, pattern, Peer, scriptedUpstream, sha256, startHttpTarget,
  tcpPair, until, within, type ScriptedUpstream,
} from '@sluice/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { forwardingOutbound } from './forwarding-outbound.js'
import { get, post, Proxied, respondWith, sharedProxied, takeRequest, WAYS } from './proxied.js'
import { PlainHttp } from '../src/plain-http.js'
import { serve } from './served.js'

/** A target that takes one request, says this, and then resets its connection. */
function resetBehind(answer: string): Promise<ScriptedUpstream> {
  return scriptedUpstream(async (peer) => {
    await takeRequest(peer)
    await peer.send(answer)
    await peer.wait(30)
    await peer.reset()
  })
}

afterEach(() => {
  vi.useRealTimers()
})

describe.each(WAYS)('HttpInbound and answers that are cut, by %s', (way) => {
  const proxied = sharedProxied({ way })

  it.each([
    ['before its head is whole', 'HTTP/1.1 200 OK\r\nContent-Le'], ['before it says anything', ''],
  ])('answers 502 when the target closes %s', async (_, sent) => {
    await using target = await respondWith(sent)
    const answer = await proxied.answerTo(get(target))
    expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*\r\nConnection: close\r\n\r\nCLOSED: /)
  })

  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
  ])('resets its client when the target closes within a body with %s', async (_, sent) => {
    await using target = await respondWith(sent)
    for (const version of ['1.1', '1.0']) {
      const client = await proxied.client()
      await client.send(get(target).replace('HTTP/1.1', `HTTP/${version}`))
      await client.expectReset()
      expect(String(client.received)).not.toMatch(/0\r\n\r\n$/)
    }
  })

  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ['no length at all', 'HTTP/1.1 200 OK\r\n\r\npart'],
  ])('C147 resets its client when the target resets its connection within a body with %s', async (_, sent) => {
    await using target = await resetBehind(sent)
    for (const version of ['1.1', '1.0']) {
      const client = await proxied.client()
      await client.send(get(target).replace('HTTP/1.1', `HTTP/${version}`))
      await client.expect(/\r\n\r\n/)
      await client.expectReset()
      expect(String(client.received)).not.toMatch(/0\r\n\r\n$/)
    }
  })
})

describe('HttpInbound and answers that cannot be passed on', () => {
  const proxied = sharedProxied()

  it.each([
    ['no HTTP', 'SSH-2.0-x\r\n', 'PROTO'], ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 'PROTO'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'PROTO'],
    ['a transfer coding beside chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 'PROTO'],
    ['a transfer coding without chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx', 'PROTO'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n', 'PROTO'], ['NUL in a value', 'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n', 'PROTO'],
    ['a status of 99', 'HTTP/1.1 099 No\r\n\r\n', 'PROTO'], ['257 fields', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(257)}\r\n`, 'LIMIT'],
    ['5000 fields', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(5_000)}\r\n`, 'LIMIT'],
    ['a head of 70 KiB', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(70_000)}\r\n\r\n`, 'LIMIT'],
    ['407', 'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n', 'AUTH'],
  ])('answers 502 in place of one with %s', async (_, sent, code) => {
    await using target = await respondWith(sent)
    const answer = await proxied.answerTo(get(target))
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(answer).toMatch(new RegExp(`\\r\\n\\r\\n${code}: `))
    expect(answer).not.toMatch(/proxy-authenticate/i)
  })

  it('passes nothing on that follows an answer', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    await using target = await respondWith(`${answer}${answer}garbage`)
    const client = await proxied.client()
    for (let count = 0; count < 2; count++) {
      await client.send(get(target))
      await client.expect('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok')
    }
    await client.expectSilence(30)
  })
})

describe('HttpInbound and plain requests whose session does not open', () => {
  const proxied = sharedProxied()

  it('C180 answers truthfully, in words, and closes', async () => {
    await using proxied = await Proxied.start()
    const port = await closedPort()
    const answer = await proxied.answerTo(get({ host: '127.0.0.1', port }) + get({ host: '127.0.0.1', port }))
    expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\nContent-Type: text\/plain; charset=utf-8\r\n/)
    expect(answer).toMatch(/\r\nConnection: close\r\n\r\nDIAL: [^]*\nHint: /)
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    await until(() => proxied.ended.length === 1, 'the session to end')
    expect(proxied.ended[0]?.record.outcome).toBe('failed')
  })

  it('C180 answers 504 when a limit ran out', async () => {
    await using upstream = await scriptedUpstream([])
    await using proxied = await Proxied.start({ outbound: forwardingOutbound(upstream.port, 'Basic eA=='), policy: { downlinkOnly: 0.1 } })
    const answer = await proxied.answerTo('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 504 Gateway Timeout\r\n[^]*\nTIMEOUT: /)
  })

  it('C180 answers in spite of an upload that nobody reads', async () => {
    const client = await proxied.client()
    const head = post({ host: '127.0.0.1', port: await closedPort() }, 'Content-Length: 900000\r\n', '')
    const sending = client.send(Buffer.concat([Buffer.from(head), pattern(900_000)]))
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 502 /)
    await client.expect(/\n$/)
    await client.expectEnd()
    await sending
    expect(client.resetByPeer).toBe(false)
  })

  it('leaves a bug of ours to who logs it', async () => {
    const [socket, connection] = await tcpPair()
    const bug = new TypeError('bug')
    const plainHttp = new PlainHttp({
      handshakeMs: 0, downlinkOnlyMs: 0, allowTransparent: false, userOf: () => { throw bug }, onRefused: () => {},
    })
    socket.write('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n')
    await expect(plainHttp.serve(connection, () => Promise.resolve(), 0)).rejects.toBe(bug)
    socket.destroy()
    connection.destroy()
    await expect(plainHttp.serve(connection, () => Promise.resolve(), 0)).resolves.toBeUndefined()
  })

  it('answers 500 if the session ends without being opened', async () => {
    const { client, whenDispatched, close } = await serve()
    await client.send('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n')
    const { request, link, end } = await whenDispatched
    expect(request).toEqual({ target: { network: 'tcp', host: 'a', port: 80 } })
    expect(link.http).toEqual({ method: 'GET', scheme: 'http', path: '/', headers: [['Host', 'a']] })
    end()
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 500 /)
    await close()
  })
})

describe('HttpInbound and clients of plain requests that leave', () => {
  const proxied = sharedProxied()

  it('C148 cancels the session when the client leaves before it opened', async () => {
    const { client, whenDispatched, close } = await serve()
    await client.send('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n')
    const { link } = await whenDispatched
    const closed = new Promise((resolve) => link.reader.once('close', resolve))
    await client.reset()
    await within(1_000, 'the link to be closed', closed)
    await close()
  })

  it.each([
    'while the answer comes', 'before the answer', 'within the request',
  ])('C148 resets the target\'s connection when the client resets %s', async (when) => {
    await using target = await scriptedUpstream(async (peer) => {
      await peer.expectHead()
      if (when.startsWith('while')) await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')
    })
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    await client.send(when.startsWith('within') ? post(target, 'Content-Length: 100\r\n', 'part') : get(target))
    if (when.startsWith('while')) await client.expect(/part$/)
    const peer = await target.peer(0)
    await until(() => peer.receivedBytes > 0, 'the request')
    await client.reset()
    await peer.expectReset()
    await until(() => proxied.ended.length === 1, 'the session to end')
    expect(proxied.ended[0]?.record.outcome).toBe('aborted')
  })

  it('C140 still answers a client that ends its side behind its request', async () => {
    await using target = await scriptedUpstream(async (peer) => {
      await peer.expectHead()
      await peer.expectSilence(60)
      await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate')
      await peer.fin()
    })
    const client = await proxied.client()
    await client.send(get(target))
    await client.fin()
    await client.expect(/\r\n\r\nlate$/)
    await client.expectEnd()
    await client.closed
  })

  it('lets the target go when a client that ended its side gets no answer within downlinkOnly', async () => {
    await using target = await scriptedUpstream([])
    await using proxied = await Proxied.start({ policy: { downlinkOnly: 0.1 } })
    const client = await proxied.client()
    await client.send(get(target))
    await client.fin()
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 504 /)
    await (await target.peer(0)).closed
  })

  it('lets the target go that keeps its connection open in spite of Connection: close', async () => {
    await using target = await respondWith('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok', { end: false })
    await using proxied = await Proxied.start({ policy: { downlinkOnly: 0.1 } })
    const client = await proxied.client()
    for (let count = 0; count < 3; count++) {
      await client.send(get(target))
      await client.expect(/\r\n\r\nok$/)
    }
    await until(() => proxied.ended.length === 3, 'the sessions to end')
    expect(proxied.ended.map(({ record }) => record.outcome)).toEqual(['closed', 'closed', 'closed'])
    await Promise.all(target.peers.map((peer) => peer.expectEnd()))
  })

  it('nothing is left of clients that reset or end at any byte, nor of targets that do', async () => {
    await using target = await startHttpTarget()
    const counter = leakCounter()
    {
      await using proxied = await Proxied.start({ policy: { downlinkOnly: 0.05, uplinkOnly: 0.05 } })
      const whole = post(target, 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n')
      for (let length = 0; length <= whole.length; length += 5) {
        for (const leave of ['reset', 'fin'] as const) {
          const client = await proxied.client()
          if (length > 0) await client.send(whole.slice(0, length))
          await client[leave]()
        }
      }
      const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
      for (let length = 0; length <= answer.length; length += 5) {
        for (const leave of ['reset', 'fin'] as const) {
          await using broken = await scriptedUpstream(async (peer) => {
            await peer.expectHead()
            // On a busy machine it may have been let go by now.
            await peer.send(answer.slice(0, length)).then(() => peer[leave]()).catch(() => {})
          })
          const client = await proxied.client()
          await client.send(get(broken))
          await client.fin()
          await client.closed
        }
      }
      await until(() => proxied.instance.connections().length === 0, 'the sessions to end')
    }
    await counter.expectNoLeaks()
  })

  it('no listener is left on a connection that is kept', async () => {
    const { client, connection, sessions, close } = await serve()
    const counts: number[] = []
    for (let count = 1; count <= 12; count++) {
      await client.send('POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok')
      await until(() => sessions.length === count, 'the session')
      const { link, end } = sessions[count - 1] ?? raise()
      link.open()
      link.reader.resume()
      link.writer.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      await client.expect(/\r\n\r\nok$/)
      await until(() => link.writer.writableFinished, 'the answer to be delivered')
      end()
      counts.push(connection.eventNames().reduce((sum, name) => sum + connection.listenerCount(name), 0))
    }
    expect(new Set(counts).size).toBe(1)
    await close()
  })
})

describe('HttpInbound and time for plain requests', () => {
  it('T8 tells a client whose first head stays incomplete 408 at the handshake limit', async () => {
    const { client, close } = await serve({}, { handshakeMs: 100 })
    const startedAt = performance.now()
    const sending = client.send('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', { chunk: 1, gapMs: 10 }).catch(() => {})
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await sending
    await close()
  })

  it('T8 gives each further head as long, from its first byte on', async () => {
    await using target = await startHttpTarget()
    await using proxied = await Proxied.start({ policy: { handshake: 0.15 } })
    const client = await proxied.client()
    await client.send(get(target))
    await client.expectHead()
    await client.expect('GET /')
    await client.expectSilence(300)
    await client.send(get(target, '/2'))
    await client.expectHead()
    await client.expect('GET /2')
    await client.send('\r\n')
    await client.expectSilence(300)
    const sending = client.send(get(target, '/3').slice(0, -1), { chunk: 1, gapMs: 3 }).catch(() => {})
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    await sending
    expect(target.requests).toHaveLength(2)
  })

  it('ends a connection without a word on which nothing is asked for 60 s', async () => {
    await using target = await startHttpTarget()
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    await client.send(get(target))
    await client.expectHead()
    await client.expect('GET /')
    await vi.advanceTimersByTimeAsync(59_000)
    expect(client.ended).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    vi.useRealTimers()
    await client.expectEnd()
  })

  it('limits neither a request at work nor its answer', async () => {
    await using target = await scriptedUpstream(async (peer) => {
      await takeRequest(peer)
      await peer.wait(200)
      await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nla')
      await peer.wait(200)
      await peer.send('te')
      await peer.fin()
    })
    await using proxied = await Proxied.start({ policy: { handshake: 0.1 } })
    const client = await proxied.client()
    const sending = client.send(post(target, 'Content-Length: 40\r\n', 'x'.repeat(40)).slice(0, -10))
    await sending
    await client.wait(200)
    await client.send('x'.repeat(10))
    await client.expect(/\r\n\r\nlate$/)
  })
})

describe('HttpInbound and the end of a plain request\'s session', () => {
  it('comes when the client has the whole answer, not when we have it', async () => {
    const { client, whenDispatched, close } = await serve()
    client.pause()
    await client.send('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n')
    const { link, end } = await whenDispatched
    const body = pattern(12_000_000)
    link.open()
    link.reader.resume()
    link.writer.end(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]))
    await client.wait(100)
    expect(link.writer.writableFinished).toBe(false)
    client.resume()
    await client.expectHead()
    expect(sha256(await client.expectBytes(body.length))).toBe(sha256(body))
    await until(() => link.writer.writableFinished, 'the end of the session')
    end()
    await close()
  })
})

describe('HttpInbound.drain() and plain requests', () => {
  it('ends connections at once that only wait, and those at work behind their answer', async () => {
    await using target = await startHttpTarget()
    let release = (): void => {}
    await using slow = await startHttpTarget((_, response) => {
      response.write('be')
      release = () => void response.end('gun')
    })
    const proxied = await Proxied.start()
    const [idle, busy, ahead] = [await proxied.client(), await proxied.client(), await proxied.client()]
    await idle.send(get(target))
    await idle.expectHead()
    await idle.expect('GET /')
    await busy.send(get(slow))
    await busy.expect(/be\r\n$/)
    await ahead.send(get(target).slice(0, 10))
    await until(() => proxied.instance.connections().length === 1, 'one session')
    const stopped = proxied.instance.stop()
    await within(1_000, 'the idle client to be let go', idle.expectEnd())
    await within(1_000, 'the client without a whole head to be let go', ahead.expectEnd())
    expect(busy.ended).toBe(false)
    release()
    await busy.expect('3\r\ngun\r\n0\r\n\r\n')
    await busy.expectEnd()
    expect(await within(2_000, 'the instance to stop', stopped)).toEqual({ cut: 0 })
    await proxied[Symbol.asyncDispose]()
  })

  it('says on an answer that begins then that the connection ends with it', async () => {
    let release = (): void => {}
    await using slow = await startHttpTarget((_, response) => { release = () => void response.end('done') })
    const proxied = await Proxied.start()
    const client = await proxied.client()
    await client.send(get(slow, '/1') + get(slow, '/2'))
    await until(() => slow.requests.length === 1, 'the request')
    const stopped = proxied.instance.stop()
    release()
    expect(await client.expectHead()).toContain('\r\nConnection: close\r\n')
    await client.expect('done')
    await client.expectEnd()
    expect(slow.requests).toHaveLength(1)
    await within(2_000, 'the instance to stop', stopped)
    await proxied[Symbol.asyncDispose]()
  })

  it('waits until a slow client has the whole answer', async () => {
    const bytes = 3_000_000
    await using web = await startHttpTarget((_, response) => void response.end(pattern(bytes)))
    const proxied = await Proxied.start()
    const client = new Peer(await connectTo(proxied.port), { paused: true })
    await client.send(get(web))
    await until(() => web.requests.length === 1, 'the request')
    const stopped = proxied.instance.stop()
    await client.wait(50)
    client.resume()
    await client.expectHead()
    expect(sha256(await client.expectBytes(bytes))).toBe(sha256(pattern(bytes)))
    await client.expectEnd()
    await client.fin()
    expect(await within(2_000, 'the instance to stop', stopped)).toEqual({ cut: 0 })
    expect(proxied.ended[0]?.record.outcome).toBe('closed')
    await proxied[Symbol.asyncDispose]()
  })
})

function raise(): never {
  throw new Error('There is no such session')
}
