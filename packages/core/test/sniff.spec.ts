import { duplexPair, type Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ProxyError, tcp, type Context, type Sniffer } from '../src/index.js'
import { sniff, SNIFFING } from '../src/instance/sniff.js'
import { Carrier, client, rejection } from './one-session.js'

/** Takes a line for the name that a client asks for. */
function lines(options: Partial<Sniffer> = {}): Sniffer {
  return {
    routeOnly: false,
    wants: () => true,
    read(head) {
      const end = head.indexOf('\n')
      if (end === -1) return 'more'
      return head[0] === 0x21 ? undefined : { protocol: 'line', domain: String(head.subarray(0, end)) }
    },
    ...options,
  }
}

const read = lines().read as (head: Buffer) => ReturnType<Sniffer['read']>
const never = new AbortController().signal

function pair(): [client: Duplex, accepted: Duplex] {
  const [socket, accepted] = duplexPair()
  socket.on('error', () => {})
  accepted.on('error', () => {})
  return [socket, accepted]
}

const listenersOf = (stream: Duplex): number[] => ['readable', 'end', 'close', 'data'].map((name) => stream.listenerCount(name))

async function textOf(stream: Duplex): Promise<string> {
  let text = ''
  stream.on('data', (chunk: Buffer) => { text += String(chunk) })
  stream.resume()
  await new Promise((resolve) => stream.once('end', resolve))
  return text
}

describe('sniff()', () => {
  it('tells what the first bytes are, however they are cut, and leaves them there', async () => {
    const [socket, accepted] = pair()
    const before = listenersOf(accepted)
    const sniffing = sniff(accepted, read, never)
    for (const part of ['na', 'me.te', 'st\nre', 'st']) {
      socket.write(part)
      await new Promise(setImmediate)
    }
    expect(await sniffing).toEqual({ protocol: 'line', domain: 'name.test' })
    expect(listenersOf(accepted)).toEqual(before)
    socket.end(' and more')
    expect(await textOf(accepted)).toBe('name.test\nrest and more')
  })

  it('loses nothing of what came before it looked, the end included', async () => {
    const [socket, accepted] = pair()
    socket.end('a\nb')
    accepted.read(0)
    await new Promise(setImmediate)
    expect(await sniff(accepted, read, never)).toEqual({ protocol: 'line', domain: 'a' })
    expect(await textOf(accepted)).toBe('a\nb')
  })

  it('hands the stream over ready to flow, at once', async () => {
    const [socket, accepted] = pair()
    socket.write('a\nb')
    accepted.read(0)
    await new Promise(setImmediate)
    await Promise.resolve()
    let text = ''
    await sniff(accepted, read, never).then(() => {
      accepted.on('data', (chunk: Buffer) => { text += String(chunk) })
      accepted.resume()
    })
    await new Promise(setImmediate)
    expect(text).toBe('a\nb')
  })

  it('gives up after its limit of time, of bytes, and at once where nothing is known', async () => {
    const [silent, first] = pair()
    silent.write('no end')
    const startedAt = performance.now()
    expect(await sniff(first, read, never)).toBeUndefined()
    expect(performance.now() - startedAt).toBeGreaterThan(SNIFFING.limitMs - 10)
    const [long, second] = pair()
    let most = 0
    const reading = sniff(second, (head) => {
      most = Math.max(most, head.length)
      return read(head)
    }, never)
    long.end('x'.repeat(100_000))
    expect(await reading).toBeUndefined()
    expect(most).toBeLessThanOrEqual(SNIFFING.maxBytes)
    expect(await textOf(second)).toHaveLength(100_000)
    const [other, third] = pair()
    other.write('!\n')
    expect(await sniff(third, read, never)).toBeUndefined()
  })

  it('stops when it is cancelled or the client goes', async () => {
    const controller = new AbortController()
    const [, first] = pair()
    const sniffing = sniff(first, read, controller.signal)
    controller.abort()
    expect(await sniffing).toBeUndefined()
    const [, second] = pair()
    const leaving = sniff(second, read, never)
    second.destroy()
    expect(await leaving).toBeUndefined()
    expect(await sniff(second, read, never)).toBeUndefined()
    expect(listenersOf(first)).toEqual([0, 0, 0, 0])
  })

  it('rejects with what the sniffer throws, and leaves no listener', async () => {
    const [socket, accepted] = pair()
    const before = listenersOf(accepted)
    socket.write('x')
    const bug = new Error('bug')
    await expect(sniff(accepted, () => { throw bug }, never)).rejects.toBe(bug)
    expect(listenersOf(accepted)).toEqual(before)
  })
})

describe('dispatch() with a sniffer', () => {
  const address = { target: tcp('192.0.2.1', 443) }

  it('answers early, then routes and goes to the name', async () => {
    const seen: Context[] = []
    const routed: string[] = []
    const router = { route: (session: Context) => void routed.push(session.target.host) }
    const carrier = new Carrier({ out: async (session, link) => {
      seen.push(session)
      expect([link.opened, session.record.establishedMs]).toEqual([false, undefined])
      link.open()
      expect(link.opened).toBe(true)
    } }, { router })
    const { socket, link } = client()
    const dispatched = carrier.dispatch(link, address, { inboundTag: 'in', sniffer: lines() })
    expect(link.opens).toBe(1)
    socket.write('name.test\n')
    await dispatched
    expect(routed).toEqual(['name.test'])
    expect(seen[0]).toMatchObject({ target: tcp('name.test', 443), sniffed: { protocol: 'line', domain: 'name.test' } })
    expect(carrier.told.map((line) => line.split(' ')[0])).toEqual(['open', 'established', 'close'])
  })

  it('keeps the address with routeOnly, and shows the name', async () => {
    const seen: Context[] = []
    const carrier = new Carrier({ out: async (session, link) => {
      seen.push(session)
      link.open()
    } })
    const { socket, link } = client()
    socket.write('name.test\n')
    await carrier.dispatch(link, address, { inboundTag: 'in', sniffer: lines({ routeOnly: true }) })
    expect(seen[0]).toMatchObject({ target: address.target, sniffed: { domain: 'name.test' } })
  })

  it('answers nobody early where the result does not matter', async () => {
    const carrier = new Carrier({ out: () => Promise.reject(new ProxyError('DIAL', 'refused')) })
    const { link } = client()
    const failure = await rejection(carrier.dispatch(link, address, { inboundTag: 'in', sniffer: lines({ wants: () => false }) }))
    expect(failure).toMatchObject({ code: 'DIAL' })
    expect(link.opens).toBe(0)
  })

  it('cuts a client that was answered early where the target is not reached', async () => {
    const carrier = new Carrier({ out: () => Promise.reject(new ProxyError('DIAL', 'refused')) })
    const { socket, link } = client()
    socket.write('name.test\n')
    await carrier.dispatch(link, address, { inboundTag: 'in', sniffer: lines() })
    expect(link.aborted).toMatchObject({ code: 'DIAL' })
    expect(carrier.closed[0]?.record).toMatchObject({ outcome: 'failed', error: { code: 'DIAL' } })
  })

  it('routes nothing for a client that leaves while it is sniffed', async () => {
    const carrier = new Carrier({ out: () => Promise.reject(new Error('not to be called')) })
    const { link } = client()
    const dispatched = carrier.dispatch(link, address, { inboundTag: 'in', sniffer: lines() })
    link.reader.destroy()
    await dispatched
    expect(carrier.closed[0]?.record).toMatchObject({ outcome: 'cancelled' })
    expect(carrier.told.map((line) => line.split(' ')[0])).toEqual(['close'])
  })
})
