import { X509Certificate } from 'node:crypto'
import { getEventListeners, once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { InstanceEvents, tcp, type Destination, type Dialer, type LogEntry } from '@sluice/core'
import {
  closedPort, createCertificates, lateReply, leakCounter, scriptedUpstream, sha256, startTarget, until, type Peer, type ScriptedUpstream,
} from '@sluice/testkit'
import { abort } from '../src/abort.js'
import { chainHashes } from '../src/certificate-chain-hash.js'
import type { TlsSettings } from '../src/stream-settings.js'
import { TcpDialer } from '../src/tcp-dialer.js'
import { tlsClientOptions } from '../src/tls-client-options.js'
import { TlsDialer } from '../src/tls-dialer.js'
import { rejection } from './rejection.js'
import { tap } from './tap.js'

const never = new AbortController().signal
const certificates = await createCertificates()
const server = await certificates.issue()
const trust: TlsSettings = { disableSystemRoot: true, certificates: [{ usage: 'verify', certificate: certificates.ca.certPem.split('\n') }] }

function dialer(settings: TlsSettings = trust, events = new InstanceEvents(), under: Dialer = new TcpDialer()): TlsDialer {
  const options = tlsClientOptions(settings, [])
  if (options === undefined) throw new Error('The settings have faults')
  return new TlsDialer(under, options, events)
}

/** The same server by its name. */
function byName({ port }: { readonly port: number }): Destination {
  return tcp('localhost', port)
}

/** No byte of the session, credentials above all, came before the check; and the connection is gone. */
async function expectNothingSent(upstream: ScriptedUpstream): Promise<void> {
  await Promise.all(upstream.peers.map((peer) => peer.closed))
  expect(upstream.peers.map((peer) => peer.receivedBytes).filter((bytes) => bytes > 0)).toEqual([])
  expect(upstream.connections).toBe(1)
}

/** The client has closed its socket: a plain peer sees its FIN, or a reset. */
async function expectGone(peer: Peer): Promise<void> {
  await until(() => peer.ended || peer.socket.destroyed, 'the client to be gone', 100)
}

describe('TlsDialer', () => {
  it('dial() resolves after the handshake and carries bytes both ways', async () => {
    await using target = await startTarget('echo', { tls: server })
    const socket = await dialer().dial(byName(target), { signal: never })
    expect(socket.authorized).toBe(true)
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    socket.destroy()
  })

  it('dial() gives a connection whose end() leaves the other direction open', async () => {
    await using target = await startTarget('late-reply', { tls: server })
    const socket = await dialer().dial(byName(target), { signal: never })
    socket.end('request')
    expect(String((await once(socket, 'data'))[0])).toBe(lateReply(7, sha256(Buffer.from('request'))))
    await once(socket, 'close')
  })

  it('dial() gives a connection whose end() sends close_notify before the FIN', async () => {
    await using target = await startTarget('silent', { tls: server })
    await using wire = await tap(target.destination)
    const socket = await dialer({ ...trust, maxVersion: '1.2' }).dial(wire.destination, { signal: never })
    const handshakeBytes = wire.uplink.length
    socket.end()
    await until(() => wire.ended, 'the FIN')
    // RFC 5246 §6.2.1: a record of type alert. With TLS 1.3 the type is encrypted.
    expect(wire.uplink[handshakeBytes]).toBe(21)
    socket.destroy()
  })

  it('dial() gives a connection that abort() resets', async () => {
    await using upstream = await scriptedUpstream(async (peer) => {
      await peer.send('ready')
      await peer.expectReset()
    }, { tls: server })
    const socket = await dialer().dial(byName(upstream), { signal: never })
    await once(socket, 'data')
    abort(socket, new Error('cut'))
    await (await upstream.peer(0)).closed
    await upstream.close()
  })

  it('dial() leaves no listener of its own but those for errors and the session', async () => {
    await using target = await startTarget('silent', { tls: { ...server } })
    const { signal } = new AbortController()
    const socket = await dialer().dial(byName(target), { signal })
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const names = socket.eventNames().map(String).filter((name) => ['secureConnect', 'data', 'readable', 'connect', 'finish'].includes(name))
    expect(names).toEqual([])
    expect(socket.listenerCount('session')).toBeLessThanOrEqual(1)
    expect(socket.listenerCount('error')).toBe(1)
    socket.destroy()
  })

  it('dial() hands over a socket whose reset harms nobody', async () => {
    await using upstream = await scriptedUpstream((peer) => peer.reset(), { tls: server })
    const socket = await dialer().dial(byName(upstream), { signal: never })
    await new Promise((resolve) => socket.once('close', resolve))
    expect(socket.destroyed).toBe(true)
  })

  it('dial() passes on why the TCP connection failed', async () => {
    const port = await closedPort()
    expect(await rejection(dialer().dial(tcp('127.0.0.1', port), { signal: never }))).toMatchObject({ code: 'DIAL', phase: 'dial' })
  })

  it('dial() resumes the session of an earlier connection', async () => {
    await using target = await startTarget('banner', { tls: server })
    const one = dialer()
    const first = await one.dial(byName(target), { signal: never })
    await once(first, 'data')
    const second = await one.dial(byName(target), { signal: never })
    const other = await dialer().dial(byName(target), { signal: never })
    expect([first, second, other].map((socket) => socket.isSessionReused())).toEqual([false, true, false])
    for (const socket of [first, second, other]) socket.destroy()
  })

  it('dial() leaves no listener on the signal and no socket after 200 dials that were aborted in the handshake', async () => {
    const counter = leakCounter()
    const target = await startTarget('sink', { tls: server })
    const raws: Socket[] = []
    const tcpDialer = new TcpDialer()
    const abortSoon = async (controller: AbortController, turns: number): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate)
      controller.abort(new Error('gone'))
    }
    for (let index = 0; index < 200; index += 1) {
      const controller = new AbortController()
      const under: Dialer = {
        async dial(to, options) {
          const raw = await tcpDialer.dial(to, options)
          raws.push(raw)
          void abortSoon(controller, index % 2)
          return raw
        },
      }
      expect(await rejection(dialer(trust, new InstanceEvents(), under).dial(byName(target), { signal: controller.signal }))).toEqual(new Error('gone'))
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    }
    expect(raws).toHaveLength(200)
    await until(() => raws.every((raw) => raw.closed), 'all sockets to be closed')
    await target.close()
    await counter.expectNoLeaks()
  })
})

describe('TlsDialer and the certificate', () => {
  it('C070 dial() refuses a self-signed certificate with CERT and sends nothing', async () => {
    const tls = await certificates.issue({ signer: 'self' })
    await using upstream = await scriptedUpstream(() => {}, { tls })
    const error = await rejection(dialer().dial(byName(upstream), { signal: never }))
    expect(error).toMatchObject({
      code: 'CERT',
      side: 'upstream',
      phase: 'tls',
      server: `localhost:${upstream.port}`,
      message: `Cannot trust the certificate of localhost:${upstream.port}: it is self-signed; `
        + 'to trust it, add it to tlsSettings.certificates with usage "verify"',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    await expectNothingSent(upstream)
  })

  it.each(['expired', 'future'] as const)('C071 dial() refuses a certificate whose time is %s with CERT and sends nothing', async (validity) => {
    const tls = await certificates.issue({ validity })
    await using upstream = await scriptedUpstream(() => {}, { tls })
    const error = await rejection(dialer().dial(byName(upstream), { signal: never })) as Error
    expect(error).toMatchObject({ code: 'CERT', phase: 'tls' })
    expect(error.message).toContain(validity === 'expired' ? 'it has expired' : 'it is not valid yet; check the clock')
    await expectNothingSent(upstream)
  })

  it('C073 dial() refuses a certificate of an unknown authority with CERT and sends nothing', async () => {
    await using upstream = await scriptedUpstream(() => {}, { tls: server })
    const error = await rejection(dialer({}).dial(byName(upstream), { signal: never })) as Error
    expect(error).toMatchObject({ code: 'CERT', phase: 'tls' })
    expect(error.message).toContain('its authority is not known here')
    await expectNothingSent(upstream)
  })

  it('C073 dial() refuses a chain without its intermediate, and takes it with', async () => {
    await using broken = await scriptedUpstream(() => {}, { tls: await certificates.issue({ signer: 'missing-intermediate' }) })
    await using whole = await scriptedUpstream(() => {}, { tls: await certificates.issue({ signer: 'intermediate' }) })
    const error = await rejection(dialer().dial(byName(broken), { signal: never })) as Error
    expect(error).toMatchObject({ code: 'CERT' })
    expect(error.message).toContain('does not send an intermediate certificate')
    await expectNothingSent(broken)
    const socket = await dialer().dial(byName(whole), { signal: never })
    socket.destroy()
  })

  it('C074 dial() to an IP address opens with that address in the certificate, and sends no name', async () => {
    await using upstream = await scriptedUpstream(() => {}, { tls: await certificates.issue({ names: ['127.0.0.1'] }) })
    const socket = await dialer().dial(upstream.destination, { signal: never })
    expect(((await upstream.peer(0)).socket as TLSSocket & { servername: unknown }).servername).toBe(false)
    socket.destroy()
  })

  it('C074 dial() to an IP address that the certificate does not have rejects with CERT', async () => {
    await using upstream = await scriptedUpstream(() => {}, { tls: await certificates.issue({ names: ['localhost'] }) })
    const error = await rejection(dialer().dial(upstream.destination, { signal: never })) as Error
    expect(error).toMatchObject({ code: 'CERT' })
    expect(error.message).toContain('it is for DNS:localhost; to look for another name, set tlsSettings.serverName')
    await expectNothingSent(upstream)
  })

  it('dial() sends the host as the name, or serverName in its place, and looks for it in the certificate', async () => {
    await using upstream = await scriptedUpstream(() => {}, { tls: await certificates.issue({ names: ['localhost', 'proxy.test'] }) })
    const sockets = [
      await dialer().dial(byName(upstream), { signal: never }),
      await dialer({ ...trust, serverName: 'proxy.test' }).dial(upstream.destination, { signal: never }),
    ]
    const names = [await upstream.peer(0), await upstream.peer(1)].map(({ socket }) => (socket as TLSSocket & { servername: unknown }).servername)
    expect(names).toEqual(['localhost', 'proxy.test'])
    expect(await rejection(dialer({ ...trust, serverName: 'other.test' }).dial(upstream.destination, { signal: never }))).toMatchObject({ code: 'CERT' })
    for (const socket of sockets) socket.destroy()
  })

  it.each([true, false])('dial() trusts a certificate of usage verify with disableSystemRoot %s, and without it nobody unknown', async (disableSystemRoot) => {
    await using upstream = await scriptedUpstream(() => {}, { tls: server })
    expect(await rejection(dialer({ disableSystemRoot }).dial(byName(upstream), { signal: never }))).toMatchObject({ code: 'CERT' })
    const socket = await dialer({ ...trust, disableSystemRoot }).dial(byName(upstream), { signal: never })
    socket.destroy()
  })

  it('dial() takes a chain with a pinned hash, and refuses any other with CERT', async () => {
    const tls = await certificates.issue({ signer: 'intermediate' })
    const [leaf, intermediate] = tls.certPem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)?.map((pem) => new X509Certificate(pem)) ?? []
    const hash = (bytes: Uint8Array): Buffer => Buffer.from(sha256(bytes), 'hex')
    const pin = hash(Buffer.concat([hash(leaf?.raw ?? Buffer.of()), hash(intermediate?.raw ?? Buffer.of())])).toString('base64')
    await using upstream = await scriptedUpstream((peer) => peer.send('ready'), { tls })

    const pinned = dialer({ ...trust, pinnedPeerCertificateChainSha256: [pin] })
    const first = await pinned.dial(byName(upstream), { signal: never })
    await once(first, 'data')
    const resumed = await pinned.dial(byName(upstream), { signal: never })
    expect(resumed.isSessionReused()).toBe(true)
    const other = hash(Buffer.of()).toString('base64')
    const strict = dialer({ ...trust, pinnedPeerCertificateChainSha256: [other] })
    for (const attempt of ['first', 'second']) {
      expect(await rejection(strict.dial(byName(upstream), { signal: never })), attempt).toMatchObject({ code: 'CERT', phase: 'tls' })
    }
    for (const socket of [first, resumed]) socket.destroy()
  })

  it('dial() with allowInsecure still insists on a pinned hash', async () => {
    const tls = await certificates.issue({ signer: 'self' })
    await using upstream = await scriptedUpstream(() => {}, { tls })
    const pin = chainHashes({ raw: new X509Certificate(tls.certPem).raw } as never)
    const socket = await dialer({ allowInsecure: true, pinnedPeerCertificateChainSha256: pin }).dial(byName(upstream), { signal: never })
    socket.destroy()
    const other = [Buffer.alloc(32).toString('base64')]
    const refused = dialer({ allowInsecure: true, pinnedPeerCertificateChainSha256: other }).dial(byName(upstream), { signal: never })
    expect(await rejection(refused)).toMatchObject({ code: 'CERT' })
  })

  it('C084 dial() with allowInsecure takes any certificate and warns of each server once', async () => {
    const tls = await certificates.issue({ signer: 'self', validity: 'expired', names: ['other.test'] })
    await using one = await startTarget('sink', { tls })
    await using two = await startTarget('sink', { tls })
    const events = new InstanceEvents()
    const logged: LogEntry[] = []
    events.on('log', (entry) => logged.push(entry))
    const insecure = dialer({ allowInsecure: true }, events)
    for (const target of [one, two, one, two]) (await insecure.dial(target.destination, { signal: never })).destroy()
    expect(logged.map(({ level, message }) => `${level} ${message}`)).toEqual([one, two].map(({ port }) =>
      `warning The certificate of 127.0.0.1:${port} is not checked (tlsSettings.allowInsecure): anybody on the way can read along`))
    expect(await rejection(dialer().dial(one.destination, { signal: never }))).toMatchObject({ code: 'CERT' })
  })
})

describe('TlsDialer and the environment', () => {
  afterEach(() => { delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'] })

  it('T6 dial() checks the certificate whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
    await using upstream = await scriptedUpstream(() => {}, { tls: server })
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    expect(await rejection(dialer({}).dial(byName(upstream), { signal: never }))).toMatchObject({ code: 'CERT' })
    await expectNothingSent(upstream)
  })

  it('T6 dial() speaks no TLS below 1.2 unless minVersion allows it', async () => {
    const old = createServer({ cert: server.certPem, key: server.keyPem, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    await once(old.listen(0, '127.0.0.1'), 'listening')
    const to = tcp('localhost', (old.address() as AddressInfo).port)
    const error = await rejection(dialer().dial(to, { signal: never }))
    old.close()
    expect(error).toMatchObject({ code: 'TLS', phase: 'tls' })
  })
})

describe('TlsDialer and ALPN', () => {
  it.each([
    { title: 'h2 first by default', settings: {}, expected: 'h2' },
    { title: 'the settings', settings: { alpn: 'http/1.1' }, expected: 'http/1.1' },
    { title: 'the options before the settings', settings: { alpn: ['h2'] }, options: ['http/1.1'], expected: 'http/1.1' },
  ])('dial() offers $title', async ({ settings, options, expected }) => {
    await using target = await startTarget('sink', { tls: { ...server, alpn: ['h2', 'http/1.1'] } })
    const socket = await dialer({ ...trust, ...settings }).dial(byName(target), { signal: never, ...(options && { alpn: options }) })
    expect(socket.alpnProtocol).toBe(expected)
    socket.destroy()
  })

  it('C075 dial() takes a server that knows no ALPN: alpnProtocol is false', async () => {
    await using target = await startTarget('sink', { tls: server })
    const socket = await dialer().dial(byName(target), { signal: never })
    expect(socket.alpnProtocol).toBe(false)
    socket.destroy()
  })

  it('C077 dial() takes http/1.1 from a server that prefers it', async () => {
    await using target = await startTarget('sink', { tls: { ...server, alpn: ['http/1.1'] } })
    const socket = await dialer().dial(byName(target), { signal: never })
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.destroy()
  })

  it('C077 dial() rejects with ALPN when the server speaks none of the protocols', async () => {
    await using target = await startTarget('sink', { tls: { ...server, alpn: ['foo'] } })
    expect(await rejection(dialer().dial(byName(target), { signal: never }))).toMatchObject({
      code: 'ALPN', phase: 'tls', message: `Cannot agree on a protocol with localhost:${target.port}: it speaks none of those offered (tlsSettings.alpn)`,
    })
  })

  it('C077 dial() rejects when the server picks a protocol that was not offered', async () => {
    await using target = await startTarget('sink', { tls: { ...server, alpn: ['http/1.1'] } })
    await using liar = await tap(target.destination, (bytes) => Buffer.from(bytes.toString('latin1').replace('http/1.1', 'http/9.9'), 'latin1'))
    const error = await rejection(dialer({ ...trust, maxVersion: '1.2' }).dial(byName(liar.destination), { signal: never }))
    expect(['ALPN', 'TLS']).toContain((error as { code: string }).code)
  })
})

describe('TlsDialer and a handshake that breaks off', () => {
  it.each([
    { title: 'a FIN', act: 'fin', reason: 'the server closed the connection' },
    { title: 'a reset', act: 'reset', reason: 'the server closed the connection' },
    { title: 'plain text', act: 'plain', reason: 'wrong version number; does the server speak TLS on this port?' },
    { title: 'a damaged record', act: 'garbage', reason: 'unexpected message' },
  ])('C080 dial() rejects with TLS after $title', async ({ act, reason }) => {
    await using upstream = await scriptedUpstream(async (peer) => {
      await peer.expectBytes(1)
      if (act === 'fin') await peer.fin()
      else if (act === 'reset') peer.reset()
      else await peer.send(act === 'plain' ? 'HTTP/1.1 400 Bad Request\r\n\r\n' : Buffer.of(0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5))
    })
    expect(await rejection(dialer().dial(upstream.destination, { signal: never }))).toMatchObject({
      code: 'TLS', side: 'upstream', phase: 'tls', message: `Cannot set up TLS with 127.0.0.1:${upstream.port}: ${reason}`,
    })
    await expectGone(await upstream.peer(0))
  })

  it('C080 dial() hints at the port when the server speaks first and in plain text', async () => {
    await using upstream = await scriptedUpstream((peer) => peer.send('SSH-2.0-test\r\n'))
    const error = await rejection(dialer().dial(upstream.destination, { signal: never })) as Error
    expect(error).toMatchObject({ code: 'TLS' })
    expect(error.message).toContain('does the server speak TLS on this port?')
  })

  it('C080 dial() waits for a silent server until the signal aborts, and rejects with its reason', async () => {
    await using upstream = await scriptedUpstream(() => {})
    const controller = new AbortController()
    const dialled = rejection(dialer().dial(upstream.destination, { signal: controller.signal }))
    const peer = await upstream.peer(0)
    await peer.expectBytes(1)
    const reason = new Error('out of time')
    controller.abort(reason)
    expect(await dialled).toBe(reason)
    await expectGone(peer)
  })

  it('C082 dial() rejects with TLS when the server misses a client certificate within the handshake', async () => {
    await using upstream = await scriptedUpstream(() => {}, { tls: { ...server, clientCaPem: certificates.ca.certPem } })
    const error = await rejection(dialer({ ...trust, maxVersion: '1.2' }).dial(byName(upstream), { signal: never }))
    expect(error).toMatchObject({ code: 'TLS', phase: 'tls' })
  })

  it('C082 dial() resolves where TLS 1.3 lets the server refuse only later, and the connection fails then', async () => {
    await using upstream = await scriptedUpstream(() => {}, { tls: { ...server, clientCaPem: certificates.ca.certPem } })
    const socket = await dialer().dial(byName(upstream), { signal: never })
    const error = await new Promise((resolve) => socket.once('error', resolve))
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })
    socket.destroy()
  })

  it('dial() shows the certificate of usage encipherment to a server that asks', async () => {
    const client = await certificates.issue({ usage: 'client', commonName: 'sluice' })
    const own = { certificate: client.certPem.split('\n'), key: client.keyPem.split('\n') }
    await using upstream = await scriptedUpstream(() => {}, { tls: { ...server, clientCaPem: certificates.ca.certPem } })
    const socket = await dialer({ certificates: [...trust.certificates ?? [], own] }).dial(byName(upstream), { signal: never })
    const peer = await upstream.peer(0)
    expect((peer.socket as TLSSocket).getPeerCertificate().subject.CN).toBe('sluice')
    socket.destroy()
  })
})
