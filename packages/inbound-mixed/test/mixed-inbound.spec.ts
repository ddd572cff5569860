import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createInstance, defineInbound, type Instance, type Module } from '@sluice/core'
import { httpInbound } from '@sluice/inbound-http'
import { socksInbound } from '@sluice/inbound-socks'
import { freedomOutbound } from '@sluice/outbound-freedom'
import { connectTo, leakCounter, startTarget, until } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { mixedInbound, type MixedInboundSettings } from '../src/index.js'

declare module '@sluice/core' {
  interface InboundSettings {
    trusting: Readonly<Record<never, never>>
  }
}

const modules: readonly Module[] = [transport, mixedInbound, socksInbound, httpInbound, freedomOutbound]

function create(settings: MixedInboundSettings): Instance {
  const inbound = { protocol: 'mixed', port: 0, settings } as const
  return createInstance({ inbounds: [inbound], outbounds: [{ protocol: 'freedom' }] }, { modules })
}

/** What comes back for some bytes, up to a pattern. */
async function ask(instance: Instance, bytes: readonly (string | Buffer)[], wanted: RegExp): Promise<string> {
  const socket = await connectTo(instance.listening[0]?.address.port ?? 0)
  let text = ''
  let isOver = false
  socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1') }).on('close', () => { isOver = true }).on('end', () => socket.end())
  for (const part of bytes) socket.write(part)
  await until(() => wanted.test(text) || isOver, () => `${wanted.source} in ${JSON.stringify(text)}`)
  socket.destroy()
  return text
}

const socksTo = (port: number): Buffer => Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255])

describe('MixedInbound', () => {
  it('serves SOCKS5 and HTTP on one port', async () => {
    await using target = await startTarget('banner')
    const leaks = leakCounter()
    const instance = create({})
    await instance.start()
    expect(await ask(instance, [Buffer.from([5, 1, 0]), socksTo(target.port)], /SSH-/)).toMatch(/^\x05\x00\x05\x00/)
    expect(await ask(instance, [`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`], /SSH-/)).toMatch(/^HTTP\/1.1 200/)
    await instance.stop()
    await leaks.expectNoLeaks()
  })

  it('asks for the accounts in both', async () => {
    await using target = await startTarget('banner')
    await using instance = create({ accounts: [{ user: 'u', pass: 'p' }] })
    await instance.start()
    expect(await ask(instance, [Buffer.from([5, 1, 0])], /\xff/)).toBe('\x05\xff')
    expect(await ask(instance, [`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`], /\r\n\r\n/)).toMatch(/^HTTP\/1.1 407/)
    const login = Buffer.from([5, 1, 2, 1, 1, 117, 1, 112])
    expect(await ask(instance, [login, socksTo(target.port)], /SSH-/)).toMatch(/^\x05\x02\x01\x00\x05\x00/)
  })

  it('cuts what no protocol claims, and clients that say nothing', async () => {
    const instance = create({})
    await instance.start()
    expect(await ask(instance, ['\x16\x03\x01'], /./)).toBe('')
    const silent = await connectTo(instance.listening[0]?.address.port ?? 0)
    const closed = once(silent, 'close').catch(() => {})
    await instance.stop({ drainMs: 0 })
    await closed
  })

  it('serves only the protocols that are named', async () => {
    await using instance = create({ protocols: ['http'] })
    await instance.start()
    expect(await ask(instance, [Buffer.from([5, 1, 0])], /./)).toBe('')
  })

  it.each(['mixed', 'nonsense'])('has a fault for protocol %s', (name) => {
    const path = 'inbounds[0].settings.protocols[1]'
    expect(() => create({ protocols: ['socks', name] })).toThrow(expect.objectContaining({ faults: [expect.objectContaining({ path })] }))
  })

  it('has a fault for accounts that one of its protocols does not ask for', () => {
    const trusting = defineInbound({
      protocol: 'trusting',
      schema: { type: 'object', additionalProperties: false, properties: {} },
      authenticates: () => false,
      claims: () => false,
      create: () => ({ handle: () => Promise.resolve() }),
    })
    const inbound = { protocol: 'mixed', port: 0, settings: { accounts: [{ user: 'u', pass: 'p' }], protocols: ['socks', 'trusting'] } } as const
    expect(() => createInstance({ inbounds: [inbound] }, { modules: [...modules, trusting] })).toThrow(/protocols\[1\]: "trusting" does not ask/)
  })

  it('has the faults of its protocols', () => {
    const accounts = [{ user: 'x'.repeat(300), pass: 'p' }]
    expect(() => create({ accounts })).toThrow(/inbounds\[0\]\.settings\.accounts\[0\]\.user/)
  })
})
