import { getEventListeners, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { tcp, type Destination } from '@sluice/core'
import { closedPort, lateReply, leakCounter, scriptedUpstream, sha256, startTarget } from '@sluice/testkit'
import { dialFailure } from '../src/dial-failure.js'
import { TcpDialer } from '../src/tcp-dialer.js'
import { rejection } from './rejection.js'

const never = new AbortController().signal

describe('TcpDialer', () => {
  it('dial() resolves with a socket that allows half-open use and still hears a late reply', async () => {
    await using target = await startTarget('late-reply')
    const socket = await new TcpDialer().dial(target.destination, { signal: never })
    socket.end('request')
    const [reply] = await once(socket, 'data') as [Buffer]
    expect(reply.toString()).toBe(lateReply(7, sha256(Buffer.from('request'))))
    socket.destroy()
  })

  it('dial() goes on writing after the server has ended', async () => {
    await using upstream = await scriptedUpstream(async (peer) => {
      await peer.fin()
      await peer.expect('after the end')
    })
    const socket = await new TcpDialer().dial(upstream.destination, { signal: never })
    await once(socket.resume(), 'end')
    socket.end('after the end')
    await once(socket, 'close')
    await upstream.close()
  })

  it('dial() leaves no listener of its own but the one for errors', async () => {
    await using target = await startTarget('silent')
    const { signal } = new AbortController()
    const counter = leakCounter({ watch: { signal } })
    const socket = await new TcpDialer().dial(target.destination, { signal })
    expect([...counter.leaks()].filter((leak) => leak.includes('signal'))).toEqual([])
    expect(socket.eventNames().filter((name) => !['end', 'error'].includes(String(name)))).toEqual([])
    expect(socket.listenerCount('error')).toBe(1)
    expect(socket.listenerCount('end')).toBe(1)
    socket.destroy()
  })

  it('dial() hands over a socket whose reset harms nobody', async () => {
    await using upstream = await scriptedUpstream((peer) => peer.reset())
    const socket = await new TcpDialer().dial(upstream.destination, { signal: never })
    await new Promise((resolve) => socket.once('close', resolve))
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' })
  })

  it('dial() binds to the local address', async () => {
    await using target = await startTarget('silent')
    const socket = await new TcpDialer({ localAddress: '127.0.0.2' }).dial(target.destination, { signal: never })
    const { socket: accepted } = await target.connection(0)
    expect(accepted.remoteAddress).toBe('127.0.0.2')
    socket.destroy()
  })

  it('dial() tells a local address that this machine does not have', async () => {
    const dialer = new TcpDialer({ localAddress: '192.0.2.1' })
    expect(await rejection(dialer.dial(tcp('127.0.0.1', 9), { signal: never }))).toMatchObject({
      code: 'DIAL', message: 'Cannot connect to 127.0.0.1:9: cannot dial from 192.0.2.1: address not available',
    })
  })

  it('C043 dial() rejects with DIAL when the connection is refused', async () => {
    const port = await closedPort()
    expect(await rejection(new TcpDialer().dial(tcp('127.0.0.1', port), { signal: never }))).toMatchObject({
      code: 'DIAL',
      side: 'upstream',
      phase: 'dial',
      server: `127.0.0.1:${port}`,
      message: `Cannot connect to 127.0.0.1:${port}: connection refused`,
      cause: { code: 'ECONNREFUSED' },
    })
  })

  it('dial() rejects with DNS when the name does not resolve', async () => {
    const error = await rejection(new TcpDialer().dial(tcp('nowhere.invalid', 80), { signal: never }))
    expect(error).toMatchObject({ code: 'DNS', side: 'upstream', phase: 'dns', server: 'nowhere.invalid:80', cause: { syscall: 'getaddrinfo' } })
    expect((error as Error).message).toMatch(/^Cannot resolve "nowhere\.invalid": (no such name|the name server does not answer)$/)
  })

  it('dial() refuses UDP and opens nothing', async () => {
    const to: Destination = { network: 'udp', host: '127.0.0.1', port: 53 }
    expect(await rejection(new TcpDialer().dial(to, { signal: never }))).toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('dial() rejects with the reason of a signal that is aborted already, and opens nothing', async () => {
    await using target = await startTarget('silent')
    const counter = leakCounter()
    const reason = new Error('gone')
    expect(await rejection(new TcpDialer().dial(target.destination, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(counter.leaks()).toEqual([])
  })

  it('dial() rejects with the reason, as it is, of a signal that aborts meanwhile', async () => {
    await using target = await startTarget('silent')
    const controller = new AbortController()
    const dialled = rejection(new TcpDialer().dial(target.destination, { signal: controller.signal }))
    controller.abort('any value')
    expect(await dialled).toBe('any value')
  })

  it('dial() leaves the connection to its owner when the signal aborts afterwards', async () => {
    await using target = await startTarget('echo')
    const controller = new AbortController()
    const socket = await new TcpDialer().dial(target.destination, { signal: controller.signal })
    controller.abort()
    socket.write('x')
    await once(socket, 'data')
    socket.destroy()
  })

  it('dial() leaves no listener on the signal and no socket after 200 aborted dials', async () => {
    await using target = await startTarget('sink')
    const counter = leakCounter()
    const moments = [() => undefined, () => Promise.resolve(), () => new Promise(process.nextTick), () => new Promise(setImmediate)]
    let aborted = 0
    for (let index = 0; index < 200; index += 1) {
      const controller = new AbortController()
      const dialled = new TcpDialer().dial(target.destination, { signal: controller.signal })
      await moments[index % moments.length]?.()
      controller.abort(new Error('gone'))
      await dialled.then((socket) => socket.destroy(), () => { aborted += 1 })
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    }
    expect(aborted).toBeGreaterThanOrEqual(150)
    await counter.expectNoLeaks()
  })
})

describe('dialFailure()', () => {
  it('names every address that was tried', () => {
    const refused = (address: string): Error => Object.assign(new Error('connect'), { errno: -111, code: 'ECONNREFUSED', syscall: 'connect', address })
    const unreachable = Object.assign(new Error('connect'), { errno: -101, code: 'ENETUNREACH', syscall: 'connect', address: '2001:db8::1' })
    const error = dialFailure(new AggregateError([unreachable, refused('192.0.2.1')]), tcp('proxy.test', 3128))
    expect(error).toMatchObject({ code: 'DIAL', server: 'proxy.test:3128' })
    expect(error.message).toBe('Cannot connect to proxy.test:3128: 2001:db8::1: network is unreachable, 192.0.2.1: connection refused')
  })

  it('shows a host of a client without its control characters', () => {
    const error = dialFailure(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }), tcp('a\r\nb', 80))
    expect(error.message).toBe('Cannot resolve "a??b": no such name')
    expect(error.server).toBe('a??b:80')
  })
})
