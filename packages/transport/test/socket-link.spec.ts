import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { RequestForm } from '@sluice/core'
import { connectTo, Peer, tcpPair, until, within } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectionPair, SocketLink } from '../src/index.js'
import { closed } from './closed.js'

describe('SocketLink', () => {
  it('is the bare connection on both sides', () => {
    const [, server] = connectionPair()
    const link = new SocketLink(server, () => {})
    expect(link.reader).toBe(server)
    expect(link.writer).toBe(server)
  })

  it('tells of its opening once, with the form asked for', () => {
    const [, server] = connectionPair()
    const opens: (RequestForm | undefined)[] = []
    const link = new SocketLink(server, (how) => opens.push(how))
    expect(link.opened).toBe(false)
    link.open({ form: 'absolute' })
    link.open()
    expect(link.opened).toBe(true)
    expect(opens).toEqual([{ form: 'absolute' }])
  })

  it('sees a reset of the client while nobody reads', async () => {
    const [client, server] = await tcpPair()
    server.pause()
    const link = new SocketLink(server, () => {})
    const gone = new Promise((resolve) => { link.reader.once('close', resolve) })
    await new Peer(client).reset()
    await gone
    expect(server.errored).toMatchObject({ code: 'ECONNRESET' })
  })

  it('sees a reset of a client whose connection nobody has read from yet', async () => {
    const accepting = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(accepting, 'listening')
    const accepted = once(accepting, 'connection') as Promise<[Socket]>
    const client = await connectTo((accepting.address() as AddressInfo).port)
    const [server] = await accepted
    accepting.close()
    const link = new SocketLink(server, () => {})
    const gone = closed(link.reader)
    await new Peer(client).reset()
    await within(1_000, 'the reset to be seen', gone)
    expect(server.errored).toMatchObject({ code: 'ECONNRESET' })
  })

  it('fills up to the high-water mark and keeps the bytes for the first reader', async () => {
    const [client, server] = await tcpPair()
    server.pause()
    server.unshift(Buffer.from('pipelined '))
    const link = new SocketLink(server, () => {})
    client.write('early')
    await until(() => server.readableLength === 15, 'the bytes to arrive')
    link.reader.resume()
    expect((await once(link.reader, 'data')).toString()).toBe('pipelined ')
    client.destroy()
    server.destroy()
  })

  it('abort() resets the client, also before it opened and more than once', async () => {
    const [client, server] = await tcpPair()
    const peer = new Peer(client)
    const link = new SocketLink(server, () => {})
    link.abort(new Error('cut by the test'))
    link.abort(new Error('cut again'))
    await peer.expectReset()
  })

  it('keeps a late fault of the connection from ending the process', async () => {
    const [, server] = connectionPair()
    server.removeAllListeners('error')
    new SocketLink(server, () => {})
    server.destroy(new Error('nobody listens'))
    await once(server, 'close').catch(() => {})
    expect(server.destroyed).toBe(true)
  })
})
