import { describe, expect, it } from 'vitest'
import {
  connectTo, lateReply, leakCounter, pattern, Peer, sha256, startHttpTarget, startTarget, until, untilSteady,
  type Target, type TargetKind, type TargetOptions,
} from '../src/index.js'

async function visit(kind: TargetKind, options?: TargetOptions): Promise<{ target: Target, client: Peer }> {
  const target = await startTarget(kind, options)
  return { target, client: new Peer(await connectTo(target.port)) }
}

describe('startTarget()', () => {
  it('echo sends everything back, and ends when the client does', async () => {
    const { target, client } = await visit('echo')
    const bytes = pattern(3_000_000)
    await client.send(bytes)
    await client.fin()
    expect((await client.expectBytes(bytes.length)).equals(bytes)).toBe(true)
    await client.expectEnd()
    const seen = await target.connection(0)
    expect([seen.receivedBytes, seen.receivedSha256, seen.sentBytes]).toEqual([bytes.length, sha256(bytes), bytes.length])
    await target.close()
  })

  it('banner speaks first', async () => {
    const { target, client } = await visit('banner', { banner: '220 hello\r\n' })
    await client.expect('220 hello\r\n')
    await client.send('x')
    expect(String(await client.expect('x'))).toBe('x')
    await target.close()
  })

  it('late-reply answers after the end of the client', async () => {
    const { target, client } = await visit('late-reply')
    await client.send('question')
    await client.expectSilence(30)
    await client.fin()
    await client.expect(lateReply(8, sha256(Buffer.from('question'))))
    await client.expectEnd()
    expect((await target.connection(0)).ended).toBe(true)
    await target.close()
  })

  it('source sends the pattern and ends, and goes on reading', async () => {
    const { target, client } = await visit('source', { bytes: 200_000 })
    expect(sha256(await client.expectBytes(200_000))).toBe(sha256(pattern(200_000)))
    await client.expectEnd()
    await client.send('still there')
    const seen = await target.connection(0)
    await until(() => seen.receivedBytes === 11, 'the bytes after its end')
    expect(seen.sentBytes).toBe(200_000)
    await target.close()
  })

  it('source stops while the client does not read', async () => {
    const target = await startTarget('source', { bytes: Infinity })
    const client = new Peer(await connectTo(target.port), { paused: true })
    const seen = await target.connection(0)
    const sent = await untilSteady(() => seen.sentBytes, 'what the source sent')
    client.resume()
    await until(() => client.receivedBytes > sent, 'more than what was buffered')
    expect(client.received.subarray(0, sent).equals(pattern(sent))).toBe(true)
    await client.reset()
    await until(() => seen.closed, 'the target to close')
    expect(seen.resetByPeer).toBe(true)
    await target.close()
  })

  it('sink takes everything and ends when the client does', async () => {
    const { target, client } = await visit('sink')
    await client.send('abc')
    await client.fin()
    await client.expectEnd()
    expect((await target.connection(0)).receivedSha256).toBe(sha256(Buffer.from('abc')))
    await target.close()
  })

  it('a paused target reads only once it is resumed', async () => {
    const { target, client } = await visit('sink', { paused: true })
    const seen = await target.connection(0)
    await client.send('abc')
    await client.expectSilence(20)
    expect(seen.receivedBytes).toBe(0)
    seen.socket.resume()
    await until(() => seen.receivedBytes === 3, 'the bytes')
    await target.close()
  })

  it('reset resets at the first byte', async () => {
    const { target, client } = await visit('reset')
    await client.expectSilence(20)
    await client.send('x')
    await expect(client.expectReset()).resolves.toBeUndefined()
    await target.close()
  })

  it('silent says nothing, not even an end', async () => {
    const { target, client } = await visit('silent')
    await client.send('x')
    await client.fin()
    await client.expectSilence(30)
    expect((await target.connection(0)).ended).toBe(true)
    await target.close()
  })

  it('close() leaves nothing', async () => {
    const counter = leakCounter()
    const { target, client } = await visit('echo')
    await target.connection(0)
    await target.close()
    client.socket.destroy()
    await expect(counter.expectNoLeaks()).resolves.toBeUndefined()
  })
})

describe('startHttpTarget()', () => {
  it('answers and records plain requests', async () => {
    await using target = await startHttpTarget()
    const url = `http://127.0.0.1:${target.port}/path?q`
    expect(await (await fetch(url)).text()).toBe('GET /path?q')
    expect(await (await fetch(url, { method: 'PUT', body: 'content' })).text()).toBe('content')
    const seen = target.requests.map(({ method, url, body }) => `${method} ${url} ${body}`)
    expect(seen).toEqual(['GET /path?q ', 'PUT /path?q content'])
    expect(target.requests[0]?.rawHeaders).toContain(`127.0.0.1:${target.port}`)
  })

  it('answers as it is told', async () => {
    await using target = await startHttpTarget((_, response) => { response.writeHead(418).end('no coffee') })
    const answer = await fetch(`http://127.0.0.1:${target.port}/`)
    expect([answer.status, await answer.text()]).toEqual([418, 'no coffee'])
  })
})
