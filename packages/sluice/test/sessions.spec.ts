import { describe, expect, it } from 'vitest'
import { STATS_MANAGER, type SessionRecord } from '@sluice/core'
import { connectProxy, connectTo, leakCounter, pattern, Peer, sha256, startTarget, until } from '@sluice/testkit'
import { createInstance, defineConfig, modules, type Instance } from '../src/index.js'

const SESSIONS = 200
const COUNTED = 600

function config(upstream: number): Parameters<typeof createInstance>[0] {
  return defineConfig({
    stats: {},
    policy: {
      levels: { 0: { statsUserUplink: true, statsUserDownlink: true } },
      system: { statsInboundUplink: true, statsInboundDownlink: true, statsOutboundUplink: true, statsOutboundDownlink: true },
    },
    inbounds: [
      { tag: 'socks', protocol: 'socks', port: 0 },
      { tag: 'http', protocol: 'http', port: 0, settings: { accounts: [{ user: '__proto__', pass: 'p' }] } },
    ],
    outbounds: [{ tag: 'up', protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port: upstream }] } }],
  })
}

const portOf = (instance: Instance, index: number): number => instance.listening[index]?.address.port ?? 0

/** Opens a tunnel by SOCKS5 or HTTP; resolves once the target is reached. */
async function open(instance: Instance, protocol: 'socks' | 'http', target: number): Promise<Peer> {
  const client = new Peer(await connectTo(portOf(instance, protocol === 'socks' ? 0 : 1)))
  if (protocol === 'socks') {
    await client.send(Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, target >> 8, target & 255]))
    await client.expectBytes(12)
  } else {
    const credentials = Buffer.from('__proto__:p').toString('base64')
    await client.send(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`)
    await client.expectHead()
  }
  return client
}

/** Sends bytes to an echo and reads them back to the end. */
async function echoed(client: Peer, payload: Buffer): Promise<Buffer> {
  void client.send(payload).then(() => client.fin())
  const answer = await client.expectBytes(payload.length)
  await client.expectEnd()
  return answer
}

describe('an instance', () => {
  it('carries 200 sessions at once and leaves nothing behind', async () => {
    await using target = await startTarget('echo')
    await using proxy = await connectProxy()
    const leaks = leakCounter()
    const instance = createInstance(config(proxy.port), { modules })
    await instance.start()
    const clients = await Promise.all(Array.from({ length: SESSIONS }, (_, index) => open(instance, index % 2 === 0 ? 'socks' : 'http', target.port)))
    expect(instance.connections()).toHaveLength(SESSIONS)
    const payload = pattern(40_000)
    const answers = await Promise.all(clients.map((client) => echoed(client, payload)))
    expect(new Set(answers.map((answer) => sha256(answer)))).toEqual(new Set([sha256(payload)]))
    expect(await instance.stop()).toEqual({ cut: 0 })
    await leaks.expectNoLeaks()
  })

  it('C184 counts what clients and targets saw, exactly, also where tunnels are cut', async () => {
    await using target = await startTarget('echo')
    await using proxy = await connectProxy()
    const instance = createInstance(config(proxy.port), { modules })
    const records: SessionRecord[] = []
    instance.events.on('session:close', ({ record }) => records.push(record))
    await instance.start()
    const sent = { socks: 0, http: 0 }
    for (let round = 0; round < COUNTED / 50; round++) {
      await Promise.all(Array.from({ length: 50 }, async (_, index) => {
        const protocol = index % 2 === 0 ? 'socks' : 'http'
        const size = (index * 977 + round * 31) % 20_000
        const client = await open(instance, protocol, target.port)
        sent[protocol] += size
        if (index % 10 !== 9) {
          expect((await echoed(client, pattern(size))).length).toBe(size)
          return
        }
        // All bytes went round; only the end of this one is a reset.
        await client.send(pattern(size))
        await client.expectBytes(size)
        await client.reset()
      }))
    }
    await until(() => records.length === COUNTED, () => `${COUNTED} sessions to end, not ${records.length}`)
    const stats = instance.get(STATS_MANAGER).snapshot()
    const traffic = (name: string): (number | undefined)[] => ['uplink', 'downlink'].map((way) => stats.get(`${name}>>>traffic>>>${way}`))
    expect(traffic('inbound>>>socks')).toEqual([sent.socks, sent.socks])
    expect(traffic('inbound>>>http')).toEqual([sent.http, sent.http])
    expect(traffic('user>>>__proto__')).toEqual([sent.http, sent.http])
    const total = sent.socks + sent.http
    expect(records.reduce((sum, { uplinkBytes }) => sum + uplinkBytes, 0)).toBe(total)
    // The wire of the outbound carries the CONNECT heads as well, as v2ray counts it.
    const heads = proxy.requests.reduce((sum, head) => sum + head.length, 0)
    const answers = COUNTED * 'HTTP/1.1 200 Connection established\r\n\r\n'.length
    expect(traffic('outbound>>>up')).toEqual([total + heads, total + answers])
    expect(Object.prototype).not.toHaveProperty('value')
    await instance.stop()
  })
})
