import { connect, type Socket } from 'node:net'
import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createCertificates, leakCounter, scriptedUpstream } from '@sluice/testkit'
import type { Context, OutboundHandler } from '@sluice/core'
import { probe } from '../src/observatory/probe.js'

const sockets: Socket[] = []

/** Goes to a port of loopback, whatever the target is. */
function outboundTo(port: number, seen: Context[] = []): OutboundHandler {
  return {
    tag: 'out', protocol: 'test', process: () => Promise.reject(new Error('not here')),
    async connect(session) {
      seen.push(session)
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      await once(socket, 'connect')
      return socket
    },
  }
}

const never = new AbortController().signal
const get = (url: string) => ({ url: new URL(url), method: 'GET' as const })

describe('probe()', () => {
  it('asks for the page through a tunnel of its own and closes it', async () => {
    let head = ''
    await using upstream = await scriptedUpstream(async (peer) => {
      head = await peer.expectHead()
      await peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      peer.socket.end()
    })
    const seen: Context[] = []
    const counter = leakCounter()
    await probe(outboundTo(upstream.destination.port, seen), get('http://probe.test:81/a?b'), never)
    expect(seen[0]).toMatchObject({ target: { host: 'probe.test', port: 81, network: 'tcp' }, inboundTag: '' })
    expect(sockets.at(-1)?.destroyed).toBe(true)
    await counter.expectNoLeaks(1_000)
    expect(head).toBe('GET /a?b HTTP/1.1\r\nHost: probe.test:81\r\nAccept: */*\r\nConnection: close\r\n\r\n')
  })

  it.each([
    ['HTTP/1.1 502 Bad Gateway\r\n', '"HTTP/1.1 502 Bad Gateway?" is not the answer of a healthy server'],
    ['SSH-2.0-x\r\n', '"SSH-2.0-x?" is not the answer of a healthy server'],
    ['x'.repeat(20_000), 'The answer has no end of its first line'],
    ['', 'The tunnel was closed without an answer'],
  ])('fails for %#', async (answer, message) => {
    await using upstream = await scriptedUpstream(async (peer) => {
      await peer.expectHead()
      if (answer !== '') await peer.send(answer)
      peer.socket.end()
    })
    await expect(probe(outboundTo(upstream.destination.port), get('http://probe.test/'), never)).rejects.toThrow(message)
    expect(sockets.at(-1)?.destroyed).toBe(true)
  })

  it('speaks TLS for https and believes no stranger', async () => {
    const certificates = await createCertificates()
    const { certPem, keyPem } = await certificates.issue({ names: ['probe.test'] })
    const server = createServer({ cert: certPem, key: keyPem }, (_, response) => response.writeHead(204).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const outbound = outboundTo((server.address() as AddressInfo).port)
    await probe(outbound, { ...get('https://probe.test/'), ca: certificates.ca.certPem }, never)
    await expect(probe(outbound, get('https://probe.test/'), never)).rejects.toThrow('certificate')
    await expect(probe(outbound, { ...get('https://other.test/'), ca: certificates.ca.certPem }, never)).rejects.toThrow('other.test')
    server.close()
    await once(server, 'close')
  })

  it('gives up with the signal, and refuses an outbound without tunnels', async () => {
    await using upstream = await scriptedUpstream([])
    const controller = new AbortController()
    const probing = probe(outboundTo(upstream.destination.port), get('http://probe.test/'), controller.signal)
    await upstream.peer(0)
    controller.abort('enough')
    await expect(probing).rejects.toBe('enough')
    const closed: OutboundHandler = { tag: 'hole', protocol: 'test', process: () => Promise.resolve() }
    await expect(probe(closed, get('http://probe.test/'), never)).rejects.toThrow('Outbound "hole" cannot be probed: it opens no tunnels')
  })
})
