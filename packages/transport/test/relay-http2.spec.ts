import type { SessionRecord } from '@sluice/core'
import { leakCounter, Peer, tcpPair, until, within } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { abort, relay, SocketLink } from '../src/index.js'
import { rawHttp2Tunnel, type RawHttp2Tunnel } from './raw-http2-tunnel.js'
import { rejection } from './rejection.js'

interface Session extends AsyncDisposable {
  readonly client: Peer
  readonly tunnel: RawHttp2Tunnel
  readonly record: SessionRecord
  readonly done: Promise<void>
}

async function session(limits: { uplinkOnlyMs?: number; downlinkOnlyMs?: number } = {}): Promise<Session> {
  const counter = leakCounter()
  const tunnel = await rawHttp2Tunnel()
  const [far, near] = await tcpPair()
  const client = new Peer(far)
  const record: SessionRecord = { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 1 }
  const signal = new AbortController().signal
  const options = { connIdleMs: 5_000, uplinkOnlyMs: 5_000, downlinkOnlyMs: 5_000, ...limits, record, signal }
  const done = relay(new SocketLink(near, () => {}), tunnel.stream, options)
  done.catch(() => {})
  return {
    client, tunnel, record, done,
    async [Symbol.asyncDispose]() {
      await within(1_000, 'the relay to settle', done.catch(() => {}))
      far.destroy()
      await until(() => near.destroyed && tunnel.stream.destroyed, 'both sides to be ended')
      await tunnel[Symbol.asyncDispose]()
      await counter.expectNoLeaks()
    },
  }
}

describe('relay() over HTTP/2', () => {
  it('P26 takes END_STREAM for an end, and sends one for the client\'s', async () => {
    await using running = await session()
    const { client, tunnel, record, done } = running
    tunnel.data('all of it', { endStream: true })
    await client.expect('all of it')
    await client.expectEnd()
    await client.send('words')
    await client.fin()
    await done
    await until(() => tunnel.ended, 'END_STREAM')
    expect(tunnel.received).toBe('words')
    expect(tunnel.rstCode).toBeUndefined()
    expect(record).toMatchObject({ outcome: 'closed', uplinkBytes: 5, downlinkBytes: 9 })
  })

  const RESETS = [0, 1, 2, 5, 7, 8, 10, 11, 13, 0xdead]
  it.each(RESETS)('P27 C147 takes RST_STREAM(%i) in an open tunnel for a cut, never for an end', async (code) => {
    await using running = await session()
    const { client, tunnel, done } = running
    tunnel.data('half of a ')
    await client.expect('half of a ')
    tunnel.reset(code)
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    await client.expectReset()
  })

  it('P27 takes RST_STREAM(CANCEL) after the client\'s end for a cut', async () => {
    await using running = await session()
    const { client, tunnel, done } = running
    await client.fin()
    await until(() => tunnel.ended, 'END_STREAM')
    tunnel.data('half of a ')
    await client.expect('half of a ')
    tunnel.reset(8)
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    await until(() => client.socket.destroyed || client.ended, 'the client to be told')
    expect(client.resetByPeer).toBe(true)
  })

  it.each(['FIN', 'RST'])('P27 takes a TCP %s of the session for a cut', async (how) => {
    await using running = await session()
    const { client, tunnel, done } = running
    tunnel.data('half of a ')
    await client.expect('half of a ')
    if (how === 'FIN') tunnel.socket.end()
    else abort(tunnel.socket, new Error('cut by the test'))
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    await client.expectReset()
  })

  it('P27 takes a session that we destroy for a cut', async () => {
    await using running = await session()
    const { client, tunnel, done } = running
    tunnel.session.destroy()
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    await client.expectReset()
  })

  it('P27 C148 sends RST_STREAM(CONNECT_ERROR) when the client is reset, and the session lives on', async () => {
    await using running = await session()
    const { client, tunnel, done } = running
    await client.send('x')
    await until(() => tunnel.received === 'x', 'the byte')
    await client.reset()
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'downstream' })
    await until(() => tunnel.rstCode !== undefined, 'RST_STREAM')
    expect(tunnel.rstCode).toBe(10)
    expect(tunnel.session.destroyed).toBe(false)
  })

  it('lets go of a stream with unread bytes whose own reset crosses ours', async () => {
    await using running = await session()
    const { client, tunnel, done } = running
    client.pause()
    for (let bytes = 0; bytes < 60_000; bytes += 6_000) tunnel.data('x'.repeat(6_000))
    await until(() => running.record.downlinkBytes > 0, 'some bytes')
    tunnel.stream.pause()
    tunnel.reset(0)
    await client.reset()
    await done.catch(() => {})
    await until(() => tunnel.stream.destroyed, 'the stream to be closed')
  })

  it('sends RST_STREAM(CANCEL) behind END_STREAM when the target stays silent after the client\'s end', async () => {
    await using running = await session({ downlinkOnlyMs: 50 })
    const { client, tunnel, record, done } = running
    await client.send('words')
    await client.fin()
    await done
    await client.expectEnd()
    await until(() => tunnel.rstCode !== undefined, 'RST_STREAM')
    expect(tunnel).toMatchObject({ received: 'words', ended: true, rstCode: 8 })
    expect(record.outcome).toBe('closed')
  })

  it('sends all of the client\'s bytes and END_STREAM before RST_STREAM(CANCEL) with downlinkOnly 0', async () => {
    await using running = await session({ downlinkOnlyMs: 0 })
    const { client, tunnel, done } = running
    const text = 'x'.repeat(60_000)
    client.socket.end(text)
    await done
    await until(() => tunnel.rstCode !== undefined, 'RST_STREAM')
    expect(tunnel).toMatchObject({ ended: true, rstCode: 8 })
    expect(tunnel.received.length).toBe(text.length)
  })

  it.each([0, 8])('takes RST_STREAM(%i) behind END_STREAM for an end, if the client sends no more', async (code) => {
    await using running = await session()
    const { client, tunnel, record, done } = running
    tunnel.data('all of it', { endStream: true })
    await client.expect('all of it')
    await client.expectEnd()
    tunnel.reset(code)
    await until(() => tunnel.stream.destroyed, 'the reset')
    await client.fin()
    await done
    expect(record.outcome).toBe('closed')
    expect(client.error).toBeUndefined()
  })

  it('takes RST_STREAM(NO_ERROR) right behind END_STREAM for an end, and the client gets all of it', async () => {
    await using running = await session()
    const { client, tunnel, record, done } = running
    tunnel.socket.cork()
    tunnel.data('all of it', { endStream: true })
    tunnel.reset(0)
    tunnel.socket.uncork()
    await client.expect('all of it')
    await client.expectEnd()
    await client.fin()
    await done
    expect(record.outcome).toBe('closed')
  })
})
