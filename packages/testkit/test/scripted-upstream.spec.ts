import { describe, expect, it } from 'vitest'
import {
  connectTlsTo, connectTo, createCertificates, pattern, Peer, scriptedUpstream, until, type Script, type ScriptedUpstream, type Step,
} from '../src/index.js'

interface Visit {
  readonly upstream: ScriptedUpstream
  readonly client: Peer
}

async function visit(script: Script | readonly Step[], stepMs = 5_000): Promise<Visit> {
  const upstream = await scriptedUpstream(script, { stepMs })
  return { upstream, client: new Peer(await connectTo(upstream.port)) }
}

const certificates = await createCertificates()

async function visitTls(script: Script, alpn?: readonly string[]): Promise<Visit> {
  const tls = { ...await certificates.issue(), ...(alpn === undefined ? {} : { alpn }) }
  const upstream = await scriptedUpstream(script, { tls })
  const socket = await connectTlsTo(upstream.port, certificates, alpn === undefined ? {} : { alpn })
  return { upstream, client: new Peer(socket) }
}

describe('scriptedUpstream()', () => {
  it('answers a head, byte for byte, and records it', async () => {
    const { upstream, client } = await visit(async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\n\r\nearly')
    })
    await client.send('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')
    await client.expect('HTTP/1.1 200 OK\r\n\r\nearly')
    expect(upstream.requests).toEqual(['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'])
    expect(upstream.connections).toBe(1)
    await upstream.close()
  })

  it('plays a list of steps', async () => {
    const { upstream, client } = await visit([
      'head', { send: 'one', chunk: 1 }, { waitMs: 5 }, { expect: /t\w+o/ }, 'end', { send: 'bye' }, 'fin', 'closed',
    ])
    await client.send('GET / HTTP/1.0\r\n\r\n')
    await client.expect('one')
    await client.send('two')
    await client.fin()
    await client.expect('bye')
    await client.expectEnd()
    await client.closed
    await expect(upstream.close()).resolves.toBeUndefined()
  })

  it('keeps what was sent behind the head', async () => {
    const { upstream, client } = await visit(async (peer) => {
      await peer.expectHead()
      await peer.expect('payload')
      await peer.fin()
    })
    await client.send('CONNECT a:1 HTTP/1.1\r\n\r\npayload')
    await client.expectEnd()
    expect((await upstream.peer(0)).received.toString()).toBe('CONNECT a:1 HTTP/1.1\r\n\r\npayload')
    await upstream.close()
  })

  it('sends single bytes that arrive one by one', async () => {
    const { upstream, client } = await visit([{ send: 'abcdef', chunk: 1, gapMs: 2 }])
    const chunks: string[] = []
    client.socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
    await client.expect('abcdef')
    expect(chunks.length).toBeGreaterThan(3)
    await upstream.close()
  })

  it('resets, and the client sees a reset', async () => {
    const { upstream, client } = await visit(['rst'])
    await client.expectReset()
    expect(client.resetByPeer).toBe(true)
    expect(client.ended).toBe(false)
    await upstream.close()
  })

  it('tells a reset by the client from its end', async () => {
    const { upstream, client } = await visit([])
    const peer = await upstream.peer(0)
    await client.reset()
    await peer.closed
    expect([peer.resetByPeer, peer.ended]).toEqual([true, false])
    await upstream.close()
  })

  it('lets the client feel back-pressure while it is paused', async () => {
    const { upstream, client } = await visit(['pause'])
    const peer = await upstream.peer(0)
    await until(() => peer.socket.isPaused(), 'the pause')
    const bytes = pattern(16 * 1_048_576)
    let sent = false
    const sending = client.send(bytes).then(() => { sent = true })
    await client.expectSilence(50)
    expect(sent).toBe(false)
    peer.resume()
    await sending
    await until(() => peer.receivedBytes === bytes.length, 'all bytes')
    expect(peer.received.equals(bytes)).toBe(true)
    await upstream.close()
  })

  it('gives the index of each connection to its script', async () => {
    const { upstream, client } = await visit((peer) => peer.send(`#${peer.index}`))
    await client.expect('#0')
    const second = new Peer(await connectTo(upstream.port))
    await second.expect('#1')
    expect(upstream.peers.length).toBe(2)
    await upstream.close()
  })

  it.each<[string, Script, string]>([
    ['other bytes come', async (peer) => { await peer.expect('hello') }, 'Cannot expect "hello": got "help"'],
    ['the client ends first', async (peer) => { await peer.expectBytes(100) }, 'Cannot expect 100 bytes: the peer ended after "help"'],
    ['a match never comes', async (peer) => { await peer.expect(/never/) }, 'Cannot expect /never/: the peer ended after "help"'],
    ['bytes come before the end', async (peer) => { await peer.expectEnd() }, 'Cannot expect the end: got "help" before it'],
    ['an end comes in place of a reset', async (peer) => { await peer.expectReset() }, 'Cannot expect a reset: the peer ended'],
    ['it throws', () => { throw new Error('of its own') }, 'of its own'],
  ])('close() throws the error of the script when %s', async (_, script, message) => {
    const { upstream, client } = await visit(script)
    await client.send('help')
    await client.fin().catch(() => {})
    await client.closed
    expect(() => { upstream.assertNoScriptErrors() }).toThrow(message)
    await expect(upstream.close()).rejects.toThrow(message)
  })

  it('limits the wait of a step', async () => {
    const { upstream, client } = await visit(['head'], 20)
    await client.expectReset()
    await expect(upstream.close()).rejects.toThrow('Cannot expect a head within 20 ms: got ""')
  })

  it('close() ends a script that waits, which is no fault', async () => {
    const { upstream, client } = await visit(['head', { waitMs: 60_000 }])
    await upstream.peer(0)
    await upstream.close()
    await expect(client.expectEnd()).resolves.toBeUndefined()
  })

  it('is closed by await using', async () => {
    let client: Peer
    {
      await using upstream = await scriptedUpstream([])
      client = new Peer(await connectTo(upstream.port))
      await upstream.peer(0)
    }
    await expect(client.expectEnd()).resolves.toBeUndefined()
  })

  it('speaks TLS and agrees on a protocol', async () => {
    const { upstream, client } = await visitTls(async (peer) => {
      await peer.expect('ping')
      await peer.send('pong')
      await peer.expectEnd()
      await peer.send('late')
      await peer.fin()
    }, ['h2', 'http/1.1'])
    await client.send('ping')
    await client.expect('pong')
    await client.fin()
    await client.expect('late')
    await client.expectEnd()
    expect((client.socket as unknown as { alpnProtocol: string }).alpnProtocol).toBe('h2')
    await client.closed
    await upstream.close()
  })

  it('resets under TLS', async () => {
    const { upstream, client } = await visitTls(async (peer) => {
      await peer.expect('x')
      await peer.reset()
    })
    await client.send('x')
    await expect(client.expectReset()).resolves.toBeUndefined()
    await upstream.close()
  })

  it('ends TLS without close_notify when told to', async () => {
    const { upstream, client } = await visitTls((peer) => peer.fin({ closeNotify: false }))
    await expect(client.expectEnd()).resolves.toBeUndefined()
    await upstream.close()
  })
})
