import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { InstanceEvents, type ProxyErrorCode } from '@sluice/core'
import { connectProxy, createCertificates, pattern, sha256, startTarget, testContext, type CertificateOptions } from '@sluice/testkit'
import {
  answer, Case, certificates, createOutbound, dialer, PAYLOAD, requestFor, serverOf, Session, startUpstream, TARGET,
  type Play, type Variant,
} from './harness.js'

const OK = answer('HTTP/1.1 200 OK\r\n\r\n')
const ACCOUNT = { users: [{ user: 'me', pass: 'secret' }] }

/** TLS with a server that has such a certificate. */
async function wireTo(certificate: CertificateOptions, alpn?: readonly string[]): Promise<Variant> {
  const tls = { ...await certificates.issue(certificate), ...(alpn && { alpn }) }
  return { over: 'TLS', dialer: dialer({}), upstream: { tls }, chunk: undefined }
}

/** A server that speaks no TLS, dialled with TLS. */
const overClear: Variant = { over: 'TLS', dialer: dialer({}), upstream: {}, chunk: undefined }

/** Checks that it fails so after one connection, in which nothing of HTTP was sent. */
async function expectRefused(wire: Variant, code: ProxyErrorCode): Promise<string> {
  await using run = await Case.start(wire, OK, { server: ACCOUNT })
  const error = await run.session.refused([run.upstream], { closing: true })
  expect(error).toMatchObject({ code, side: 'upstream', phase: 'tls', server: `127.0.0.1:${run.upstream.port}`, attempts: [] })
  expect(run.upstream.connections).toBe(1)
  expect(run.upstream.peers.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)).toBe(0)
  return error.message
}

describe('The certificate of a server', () => {
  it.each<[string, CertificateOptions]>([
    ['C070 signed by itself', { signer: 'self' }],
    ['C071 expired', { validity: 'expired' }],
    ['C071 not yet valid', { validity: 'future' }],
    ['C073 with its intermediate missing', { signer: 'missing-intermediate' }],
    ['C074 for another name', { names: ['proxy.test'] }],
  ])('%s is refused with CERT before anything is sent, and the server is not tried again', async (_, options) => {
    await expectRefused(await wireTo(options), 'CERT')
  })

  it('C073 of an unknown authority is refused with CERT before anything is sent', async () => {
    const stranger = await createCertificates()
    await expectRefused({ ...await wireTo({}), upstream: { tls: await stranger.issue() } }, 'CERT')
  })

  it('C073 with its intermediate is taken', async () => {
    await using run = await Case.start(await wireTo({ signer: 'intermediate' }), OK)
    await run.carries('')
  })

  it('C074 for the IP address is taken, and the address is not sent as a name', async () => {
    await using run = await Case.start(await wireTo({ names: ['127.0.0.1'] }), OK)
    await run.session.opened()
    expect((await run.peer).socket).toMatchObject({ servername: false })
    await run.carries('')
  })

  it('C074 for the configured name is taken, and that name is sent', async () => {
    const wire = { ...await wireTo({ names: ['proxy.test'] }), dialer: dialer({ serverName: 'proxy.test' }) }
    await using run = await Case.start(wire, OK)
    await run.session.opened()
    expect((await run.peer).socket).toMatchObject({ servername: 'proxy.test' })
    await run.carries('')
  })

  it('C084 is not checked with allowInsecure, and one warning tells of each server', async () => {
    const events = new InstanceEvents()
    const warnings: string[] = []
    events.on('log', ({ level, message }) => warnings.push(`${level}: ${message}`))
    const insecure = dialer({ allowInsecure: true }, events)
    const wire = { ...await wireTo({ signer: 'self', validity: 'expired', names: ['x.test'] }), dialer: insecure }
    await using one = await startUpstream(wire, OK)
    await using two = await startUpstream(wire, OK)
    const outbound = createOutbound({ servers: [serverOf(one), serverOf(two)] })
    for (let tunnels = 0; tunnels < 6; tunnels++) (await outbound.connect(testContext({ target: one.destination }), wire.dialer)).destroy()
    expect([one.requests.length, two.requests.length]).toEqual([3, 3])
    expect(warnings).toHaveLength(2)
    for (const { port } of [one, two]) {
      expect(warnings.filter((text) => text.startsWith('warning: ') && text.includes(`127.0.0.1:${port} `))).toHaveLength(1)
    }
  })
})

describe('ALPN', () => {
  it('C075 a server without ALPN speaks HTTP/1.1', async () => {
    await using run = await Case.start(await wireTo({}), OK)
    await run.session.opened()
    expect((await run.peer).socket).toMatchObject({ alpnProtocol: false })
    await run.carries('')
  })

  it('C077 a server that picks http/1.1, though h2 is offered first, gets HTTP/1.1', async () => {
    await using run = await Case.start(await wireTo({}, ['http/1.1']), OK)
    await run.session.opened()
    expect((await run.peer).socket).toMatchObject({ alpnProtocol: 'http/1.1' })
    await run.carries('')
  })

  it('C077 version 1.1 offers nothing else, to a server that would rather speak h2', async () => {
    await using run = await Case.start(await wireTo({}, ['h2', 'http/1.1']), OK, { settings: { version: '1.1' } })
    await run.session.opened()
    expect((await run.peer).socket).toMatchObject({ alpnProtocol: 'http/1.1' })
    await run.carries('')
  })

  it('C077 a server that knows none of what is offered is refused with ALPN', async () => {
    await expectRefused(await wireTo({}, ['foo']), 'ALPN')
  })

  it('C077 a dialer that hands over a protocol which nobody offered fails with ALPN, and its connection is cut', async () => {
    await using upstream = await startUpstream(overClear, OK)
    const clear = dialer()
    const outbound = createOutbound({ servers: [serverOf(upstream)] })
    const opening = outbound.connect(testContext({ target: TARGET }), {
      dial: async (to, options) => Object.assign(await clear.dial(to, options), { alpnProtocol: 'foo' }),
    })
    const server = `127.0.0.1:${upstream.port}`
    const message = expect.stringContaining('"foo"') as unknown
    await expect(opening).rejects.toMatchObject({ code: 'ALPN', phase: 'tls', server, message })
    const peer = await upstream.peer(0)
    await peer.closed
    expect(peer.receivedBytes).toBe(0)
  })

  it('C079 a server that agrees on http/1.1 and speaks HTTP/2 is refused with PROTO', async () => {
    const settings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)
    await using run = await Case.start(await wireTo({}, ['http/1.1']), answer(settings))
    await run.fails({ code: 'PROTO' })
  })
})

describe('A handshake', () => {
  it.each<[string, Play]>([
    ['the end', (peer) => peer.fin()],
    ['a reset', (peer) => { peer.reset() }],
    ['an HTTP answer', async (peer) => {
      await peer.send('HTTP/1.1 400 Bad Request\r\n\r\n')
    }],
    ['an end after the hello', async (peer) => {
      await peer.expectBytes(100)
      await peer.fin()
    }],
  ])('C080 that meets %s is TLS, and is tried again', async (_, play) => {
    let connections = 0
    await using run = await Case.start(overClear, async (peer, say) => {
      connections++
      peer.socket.once('end', () => peer.socket.end())
      await play(peer, say)
    }, { policy: { handshakeMs: 200 }, server: ACCOUNT })
    const error = await run.session.refused([])
    expect(error).toMatchObject({ code: 'TLS', side: 'upstream', phase: 'tls', server: `127.0.0.1:${run.upstream.port}` })
    expect(connections).toBeGreaterThan(1)
    expect(error.attempts.every(({ code }) => code === 'TLS')).toBe(true)
    for (const peer of run.upstream.peers) expect(peer.received.toString('latin1')).not.toMatch(/CONNECT|bWU6c2VjcmV0/)
  })

  it('C080 that meets silence is TIMEOUT at the limit, in phase tls, and is tried again', async () => {
    await using run = await Case.start({ ...overClear, dialer: dialer({}) }, (peer) => { peer.socket.once('end', () => peer.socket.end()) }, {
      policy: { handshakeMs: 300 },
    })
    const startedAt = performance.now()
    const error = await run.session.refused([])
    expect(performance.now() - startedAt).toBeLessThan(900 * 1.05)
    expect(error.attempts).toMatchObject([{ code: 'TIMEOUT', phase: 'tls', side: 'upstream' }, { code: 'TIMEOUT', phase: 'tls' }])
    expect(error.message).toContain('gave no TLS handshake within 300 ms')
    for (const peer of run.upstream.peers) expect(peer.ended || peer.socket.destroyed).toBe(true)
  })

  it('C082 that is asked for a certificate goes on without one', async () => {
    const { certPem: cert, keyPem: key } = await certificates.issue()
    const server = createServer({ cert, key, requestCert: true, rejectUnauthorized: false, ca: certificates.ca.certPem }, (socket) => {
      socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nx'))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const session = await Session.start(createOutbound({ servers: [{ address: '127.0.0.1', port }] }), dialer({}))
    await session.link.client.expect('x')
    session.close()
    await session.done.catch(() => {})
    await new Promise((resolve) => server.close(resolve))
  })

  it('C082 that was accepted and then broken off for want of a certificate is TLS', async () => {
    const tls = { ...await certificates.issue(), clientCaPem: certificates.ca.certPem }
    await using run = await Case.start({ ...await wireTo({}), upstream: { tls } }, OK, { policy: { handshakeMs: 200 } })
    const error = await run.session.refused([run.upstream], { closing: true })
    expect(error).toMatchObject({ code: 'TLS', side: 'upstream', phase: 'tls', server: `127.0.0.1:${run.upstream.port}` })
    expect(error.message).toMatch(/certificate required/)
  })
})

describe('A tunnel over TLS', () => {
  it('C083 is carried by a resumed session like by the first', async () => {
    const wire = await wireTo({})
    await using upstream = await startUpstream(wire, answer('HTTP/1.1 200 OK\r\n\r\n', 'bytes'))
    const outbound = createOutbound({ servers: [serverOf(upstream)] })
    for (const [index, isResumed] of [false, true].entries()) {
      const session = await Session.start(outbound, wire.dialer)
      await session.link.client.expect('bytes')
      const peer = await upstream.peer(index)
      expect((peer.socket as TLSSocket).isSessionReused()).toBe(isResumed)
      await peer.expect(PAYLOAD)
      await session.end(peer)
      expect(peer.received.toString()).toBe(requestFor() + PAYLOAD)
      session.close()
    }
  })

  it('C086 whose server ends without close_notify is marked as truncated', async () => {
    await using run = await Case.start(await wireTo({}), async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\n\r\npart')
      await peer.fin({ closeNotify: false })
    })
    await run.session.link.client.expect('part')
    await run.session.link.client.fin()
    await run.session.done.catch(() => {})
    expect(run.session.ctx.record).toMatchObject({ truncated: true, downlinkBytes: 4 })
  })

  it('C086 whose server ends in order is not', async () => {
    await using run = await Case.start(await wireTo({}), OK)
    await run.carries('')
    expect(run.session.ctx.record.truncated ?? false).toBe(false)
  })

  it('C087 carries TLS to the target: 10 MiB there and back', async () => {
    const issued = await certificates.issue()
    await using target = await startTarget('echo', { tls: issued })
    await using proxy = await connectProxy({ tls: issued })
    const outbound = createOutbound({ servers: [{ address: proxy.host, port: proxy.port }] })
    const tunnel = await outbound.connect(testContext({ target: target.destination }), dialer({}))
    const inner = connect({ socket: tunnel, servername: 'localhost', ca: certificates.ca.certPem })
    await once(inner, 'secureConnect')
    const sent = pattern(10 * 1_048_576)
    const chunks: Buffer[] = []
    inner.on('data', (chunk: Buffer) => chunks.push(chunk))
    inner.end(sent)
    await once(inner, 'end')
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(sent))
    tunnel.destroy()
  })
})
