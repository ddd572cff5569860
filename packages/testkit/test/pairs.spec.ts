import { describe, expect, it } from 'vitest'
import { createCertificates, leakCounter, Peer, reset, tcpPair, tlsPair } from '../src/index.js'

const certificates = await createCertificates()

describe.each([
  ['tcpPair()', tcpPair],
  ['tlsPair()', () => tlsPair(certificates)],
])('%s', (_, pair) => {
  it('joins two ends that can each be half-closed', async () => {
    const [client, server] = (await pair()).map((socket) => new Peer(socket)) as [Peer, Peer]
    await client.send('question')
    await client.fin()
    await server.expect('question')
    await server.expectEnd()
    await server.send('answer')
    await server.fin()
    await client.expect('answer')
    await client.expectEnd()
    expect(client.socket.errored ?? server.socket.errored).toBeNull()
  })

  it.each([0, 1])('end %i can be reset by reset()', async (index) => {
    const ends = await pair()
    const other = new Peer(ends[1 - index] as (typeof ends)[0])
    reset(ends[index] as (typeof ends)[0])
    await other.closed
    expect([other.resetByPeer, other.ended]).toEqual([true, false])
    expect(ends[index]?.destroyed).toBe(true)
  })

  it('leaves nothing once both are destroyed', async () => {
    const counter = leakCounter()
    const ends = await pair()
    expect(counter.leaks().join()).toContain('2 TCPSocketWrap')
    for (const end of ends) end.destroy()
    await expect(counter.expectNoLeaks()).resolves.toBeUndefined()
  })
})

describe('tlsPair()', () => {
  it('agrees on a protocol, and tells the TCP sockets under it', async () => {
    const pair = await tlsPair(certificates, { alpn: ['h2'] })
    expect(pair.map((socket) => socket.alpnProtocol)).toEqual(['h2', 'h2'])
    expect(pair.raw.map((socket) => socket.localPort)).toEqual([pair[1].remotePort, pair[0].remotePort])
    for (const socket of pair) socket.destroy()
  })
})
