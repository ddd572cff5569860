import { readFileSync } from 'node:fs'
import { createInstance, isConfigError, modules, type Config, type Instance } from 'sluice'
import { closedPort, connectTo, Peer, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { lineInbound } from '../src/index.js'

const text = readFileSync(new URL('../config.json', import.meta.url), 'utf8')

function load(config: unknown): Instance {
  return createInstance(config as Config, { modules: [...modules, lineInbound] })
}

async function started(): Promise<Instance> {
  const instance = load(JSON.parse(text.replace('7000', '0')))
  await instance.start()
  return instance
}

async function clientOf(instance: Instance): Promise<Peer> {
  return new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
}

describe('config.json', () => {
  it('is loaded as it is', () => {
    expect(load(JSON.parse(text)).remarks).toEqual([])
  })

  it('serves a client, under its name', async () => {
    await using target = await startTarget('echo')
    await using instance = await started()
    const client = await clientOf(instance)
    await client.send(`127.0.0.1:${target.port} me secret\nhello`)
    await client.expect('200 OK\nhello')
    expect(instance.connections().map(({ user, inboundTag }) => ({ user, inboundTag })))
      .toEqual([{ user: { name: 'me', level: 0 }, inboundTag: 'line' }])
    await client.fin()
    await client.expectEnd()
  })

  it('tells a client why not', async () => {
    await using instance = await started()
    const port = await closedPort()
    for (const [sent, answer] of [[`127.0.0.1:${port} me secret`, '502 DIAL'], ['a.test:1 me wrong', '403 BLOCKED'], ['a.test', '400 TARGET']]) {
      const client = await clientOf(instance)
      await client.send(`${sent}\n`)
      await client.expect(`${answer}\n`)
      await client.expectEnd()
      await client.fin()
    }
  })
})

describe('the settings', () => {
  it('are checked by the schema and by check(), with paths', () => {
    const [good, twice] = [{ user: 'a', pass: 'b' }, { user: 'a', pass: 'pass word' }]
    const inbounds = [
      { protocol: 'line', port: 0, settings: { accounts: [good, twice] } },
      { protocol: 'line', port: 0, settings: { acounts: [] } },
      { protocol: 'line', port: 0, listen: '0.0.0.0' },
      { protocol: 'line', port: 0, listen: '0.0.0.0', settings: { accounts: [good] } },
    ]
    try {
      load({ inbounds })
      expect.unreachable()
    } catch (error) {
      if (!isConfigError(error)) throw error
      expect(error.faults.map(({ path }) => path)).toEqual([
        'inbounds[0].settings.accounts[1].user', 'inbounds[0].settings.accounts[1]',
        'inbounds[1].settings.acounts', 'inbounds[2].listen',
      ])
      expect(error.message).not.toContain('pass word')
    }
  })
})
