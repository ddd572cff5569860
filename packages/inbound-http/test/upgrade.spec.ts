import { leakCounter, pattern, scriptedUpstream, sha256, startHttpTarget, until, type ScriptedUpstream } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { get, Proxied, respondWith, sharedProxied, WAYS } from './proxied.js'

const FIELDS = 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n'
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n'
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** A target that switches protocols with these bytes glued to its answer, and then is an echo. */
function webSocketTarget(glued = ''): Promise<ScriptedUpstream> {
  return scriptedUpstream(async (peer) => {
    await peer.expectHead()
    await peer.send(SWITCHING + glued)
    peer.socket.write(peer.received.subarray(peer.received.indexOf('\r\n\r\n') + 4))
    peer.socket.pipe(peer.socket)
  })
}

describe.each(WAYS)('HttpInbound and upgrades, by %s', (way) => {
  it('passes a switch of protocols on, bytes glued to either side, half-closes and all', async () => {
    const counter = leakCounter()
    {
      await using target = await webSocketTarget('early')
      await using proxied = await Proxied.start({ way })
      const client = await proxied.client()
      const payload = pattern(2_000_000)
      await client.send(`${get(target, '/chat', FIELDS)}ahead`)
      await client.expect(`${SWITCHED}early`)
      await client.expect('ahead')
      await client.send(payload)
      expect(sha256(await client.expectBytes(payload.length))).toBe(sha256(payload))
      await client.fin()
      await client.expectEnd()
      expect(target.requests).toEqual([[
        'GET /chat HTTP/1.1', `Host: 127.0.0.1:${target.port}`, 'Sec-WebSocket-Key: eA==', 'Connection: Upgrade', 'Upgrade: websocket',
        '', '',
      ].join('\r\n')])
      await until(() => proxied.ended.length === 1, 'the session to end')
      const head = String(target.requests[0]).length
      expect(proxied.ended[0]?.record).toMatchObject({
        outcome: 'closed', uplinkBytes: head + 5 + payload.length, downlinkBytes: SWITCHING.length + 10 + payload.length,
      })
    }
    await counter.expectNoLeaks()
  })
})

describe('HttpInbound and upgrades', () => {
  const proxied = sharedProxied()

  it('passes a refusal on as any answer, and ends the connection', async () => {
    await using target = await respondWith('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n', { end: false })
    await using proxied = await Proxied.start({ policy: { downlinkOnly: 0.1 } })
    const client = await proxied.client()
    await client.send(get(target, '/', FIELDS))
    await client.expect('HTTP/1.1 403 No\r\nConnection: close\r\n\r\nno')
    await client.expectEnd()
    await client.fin()
    await until(() => proxied.ended.length === 1, 'the session to end')
  })

  it.each([
    ['cuts the answer short', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno', /^HTTP\/1\.1 403 /],
    ['cuts the chunks short', 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n', /^HTTP\/1\.1 403 /],
  ])('resets the client when a target that refuses %s', async (_, answer, begin) => {
    await using target = await respondWith(answer)
    const client = await proxied.client()
    await client.send(get(target, '/', FIELDS))
    await client.expectReset()
    if (client.receivedBytes > 0) expect(String(client.received)).toMatch(begin)
  })

  it.each([
    ['closes without an answer', '', /^HTTP\/1\.1 502 [^]*\nCLOSED: /],
    ['speaks no HTTP', 'nonsense\r\n\r\n', /^HTTP\/1\.1 502 [^]*\nPROTO: /],
    ['answers 407', 'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1\.1 502 [^]*\nAUTH: /],
  ])('answers 502 when the target %s', async (_, sent, expected) => {
    await using target = await respondWith(sent)
    expect(await proxied.answerTo(get(target, '/', FIELDS))).toMatch(expected)
  })

  it('answers 502 when a target switches protocols unasked', async () => {
    await using target = await respondWith(SWITCHING, { end: false })
    await using silent = await respondWith('HTTP/1.1 101 Switching Protocols\r\n\r\n', { end: false })
    expect(await proxied.answerTo(get(target))).toMatch(/^HTTP\/1\.1 502 /)
    expect(await proxied.answerTo(get(silent))).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('answers a failure before the target is reached', async () => {
    expect(await proxied.answerTo(`GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\n${FIELDS}\r\n`)).toMatch(/^HTTP\/1\.1 502 [^]*\nDIAL: /)
    expect(await proxied.answerTo(`GET / HTTP/1.1\r\nHost: a\r\n${FIELDS}\r\n`)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it.each([
    ['HTTP/2 in clear', 'HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n'],
    ['anything over HTTP/1.0', 'HTTP/1.0', FIELDS],
  ])('serves a request that wishes for %s as if it did not', async (_, version, fields) => {
    await using target = await startHttpTarget()
    const client = await proxied.client()
    await client.send(get(target, '/1', fields).replace('HTTP/1.1', version))
    await client.expectHead()
    await client.expect('GET /1')
    expect(target.requests[0]?.rawHeaders.join(' ')).not.toMatch(/upgrade|http2/i)
  })

  it('keeps the connection of a client that wishes for HTTP/2 in clear each time', async () => {
    await using target = await startHttpTarget()
    const client = await proxied.client()
    for (let count = 0; count < 3; count++) {
      await client.send(get(target, `/${count}`, 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n'))
      await client.expectHead()
      await client.expect(`GET /${count}`)
    }
  })

  it('lets the session go when its client leaves before the switch or after it', async () => {
    await using silent = await scriptedUpstream([])
    await using target = await webSocketTarget()
    await using proxied = await Proxied.start()
    for (const [count, to] of [silent, target].entries()) {
      const client = await proxied.client()
      await client.send(get(to, '/', FIELDS))
      if (to === target) await client.expect(SWITCHED)
      else await (await silent.peer(0)).expectHead()
      await client.reset()
      await (await to.peer(0)).closed
      await until(() => proxied.ended.length === count + 1, 'the session to end')
      expect(proxied.ended[count]?.record.outcome).toBe('aborted')
    }
  })

  it('ends the session by the policy alone once protocols were switched', async () => {
    await using target = await webSocketTarget()
    await using proxied = await Proxied.start({ policy: { connIdle: 0.2 } })
    const client = await proxied.client()
    await client.send(get(target, '/', FIELDS))
    await client.expect(SWITCHED)
    await client.expectEnd()
    await until(() => proxied.ended.length === 1, 'the session to end')
    expect(proxied.ended[0]?.record.outcome).toBe('idle')
  })
})
