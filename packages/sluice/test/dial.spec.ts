import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { closedPort, connectProxy, leakCounter, startTarget } from '@sluice/testkit'
import { createInstance, defineConfig, dial, modules, type Instance } from '../src/index.js'

async function started(port: number): Promise<Instance> {
  const instance = createInstance(defineConfig({
    outbounds: [{ protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port }] } }],
  }), { modules })
  await instance.start()
  return instance
}

describe('dial()', () => {
  it('opens a tunnel that the instance counts', async () => {
    await using target = await startTarget('echo')
    await using proxy = await connectProxy()
    const leaks = leakCounter()
    const instance = await started(proxy.port)
    const ended = new Promise<number>((resolve) => instance.events.on('session:close', ({ record }) => resolve(record.downlinkBytes)))
    const connection = await dial(instance, { host: '127.0.0.1', port: target.port })
    expect(instance.connections()).toHaveLength(1)
    connection.end('hello')
    const [chunk] = await once(connection, 'data') as [Buffer]
    expect(chunk.toString()).toBe('hello')
    await once(connection, 'end')
    expect(await ended).toBe(5)
    await instance.stop()
    await leaks.expectNoLeaks()
  })

  it('rejects with the reason of a failure', async () => {
    await using instance = await started(await closedPort())
    await expect(dial(instance, { host: 'a.test', port: 80 })).rejects.toMatchObject({ code: 'DIAL' })
    await expect(dial(instance, { host: 'a b', port: 80 })).rejects.toMatchObject({ code: 'TARGET' })
  })

  it('can be broken off', async () => {
    await using proxy = await connectProxy({ behaviour: 'stall' })
    await using instance = await started(proxy.port)
    const controller = new AbortController()
    const dialled = dial(instance, { host: 'a.test', port: 80 }, { signal: controller.signal })
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(dialled).rejects.toBe(reason)
    await expect(dial(instance, { host: 'a.test', port: 80 }, { signal: controller.signal })).rejects.toBe(reason)
  })
})
