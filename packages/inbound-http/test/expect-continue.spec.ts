import { pattern, scriptedUpstream, sha256, until, type Peer } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { get, post, Proxied, respondWith, sharedProxied, takeRequest } from './proxied.js'

const EXPECT = 'Expect: 100-continue\r\nContent-Length: 5\r\n'

describe('HttpInbound and Expect: 100-continue', () => {
  const proxied = sharedProxied()

  it('passes the expectation, the 100 and only then the body on, and keeps the connection', async () => {
    await using target = await scriptedUpstream(async (peer) => {
      expect(await peer.expectHead()).toContain('\r\nExpect: 100-continue\r\n')
      await peer.expectSilence(30)
      await peer.send('HTTP/1.1 100 Continue\r\n\r\n')
      await peer.expect('hello')
      await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      await peer.fin()
    })
    const client = await proxied.client()
    for (let count = 0; count < 2; count++) {
      await client.send(post(target, EXPECT, ''))
      await client.expect('HTTP/1.1 100 Continue\r\n\r\n')
      await client.send('hello')
      await client.expect('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n')
    }
  })

  it('passes a refusal on in its place, and ends the connection, whose next bytes may be that body', async () => {
    await using target = await respondHead('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n')
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    await client.send(post(target, EXPECT, ''))
    await client.expect('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    await client.expectEnd()
    await client.send(get(target))
    await until(() => proxied.ended.length === 1, 'the session to end')
    expect(target.connections).toBe(1)
  })

  it('answers a failure before the target is reached in its place', async () => {
    const client = await proxied.client()
    await client.send(`POST http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\n${EXPECT}\r\n`)
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('passes an expectation on that it does not know', async () => {
    await using target = await respondWith('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    const client = await proxied.client()
    await client.send(get(target, '/', 'Expect: the-unexpected\r\n'))
    expect(await client.expectHead()).toMatch(/^HTTP\/1\.1 200 /)
    expect(target.requests[0]).toContain('\r\nExpect: the-unexpected\r\n')
  })
})

describe('HttpInbound and interim answers', () => {
  const proxied = sharedProxied()

  it('passes them on to a client of HTTP/1.1', async () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
    await using target = await respondWith(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`)
    const client = await proxied.client()
    await client.send(get(target))
    await client.expect(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n`)
  })

  it('keeps them from a client of HTTP/1.0', async () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'
    await using target = await respondWith(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`)
    expect(await proxied.answerTo(`GET http://127.0.0.1:${target.port}/ HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('answers 502 in place of more than 16 of them', async () => {
    await using target = await scriptedUpstream(async (peer) => {
      await takeRequest(peer)
      await peer.send('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17))
      await peer.closed
    })
    const answer = await proxied.answerTo(get(target))
    expect(answer.match(/HTTP\/1\.1 103/g)).toHaveLength(16)
    expect(answer).toMatch(/HTTP\/1\.1 502 [^]*\nLIMIT: /)
  })
})

describe('HttpInbound and answers that come before the whole request', () => {
  const proxied = sharedProxied()

  it('passes one on that comes at once, and ends the connection when it is read', async () => {
    await using target = await respondHead('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno\n')
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    const sending = client.send(Buffer.concat([Buffer.from(post(target, 'Content-Length: 9000000\r\n', '')), pattern(600_000)]))
    await client.expect('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n')
    await client.expectEnd()
    await sending
    await client.wait(50)
    await client.send(pattern(300_000))
    await client.wait(50)
    await client.fin()
    await client.closed
    expect(client.resetByPeer).toBe(false)
    await until(() => proxied.ended.length === 1, 'the session to end')
  })

  it('passes one on from a target that resets its connection behind it', async () => {
    await using target = await scriptedUpstream(async (peer) => {
      peer.pause()
      await peer.wait(20)
      await peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno\n')
      await peer.fin()
      await peer.wait(20)
      peer.socket.destroy()
    })
    await using proxied = await Proxied.start()
    const client = await proxied.client()
    const head = Buffer.from(post(target, 'Content-Length: 9000000\r\n', ''))
    const sending = client.send(Buffer.concat([head, pattern(900_000)])).catch(() => {})
    await client.expect('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n')
    await sending
    await until(() => proxied.ended.length === 1, 'the session to end')
  })

  it('goes on with the body while the answer comes', async () => {
    await using echoing = await scriptedUpstream(async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n')
      for (let count = 0; count < 3; count++) await peer.send(await peer.expectBytes(100_000))
      await peer.fin()
    })
    const client = await proxied.client()
    const body = pattern(300_000)
    await client.send(post(echoing, 'Content-Length: 300000\r\n', ''))
    await client.expectHead()
    for (let at = 0; at < body.length; at += 100_000) {
      await client.send(body.subarray(at, at + 100_000))
      expect(sha256(await client.expectBytes(100_000))).toBe(sha256(body.subarray(at, at + 100_000)))
    }
    await client.expectEnd()
  })
})

/** A target that answers as soon as it has a head, takes what comes, and ends when its client does. */
function respondHead(answer: string): ReturnType<typeof scriptedUpstream> {
  return scriptedUpstream(async (peer: Peer) => {
    await peer.expectHead()
    peer.socket.once('end', () => peer.socket.end())
    await peer.send(answer)
  })
}
