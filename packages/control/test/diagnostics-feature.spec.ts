import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { startTarget, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import type { SessionMessage } from '../src/index.js'
import { watched } from './watched.js'

describe('diagnosticsFeature', () => {
  it('publishes what becomes of sessions to who has subscribed, and no longer', async () => {
    await using target = await startTarget('echo')
    await using all = await watched()
    const told: unknown[] = []
    const listener = (message: unknown, name: string | symbol): void => {
      const { session } = message as SessionMessage
      told.push([name, session.target.port === target.port, session.record.outcome])
    }
    const names = ['sluice:session:open', 'sluice:session:established', 'sluice:session:close']
    for (const name of names) subscribe(name, listener)
    const client = await all.open(target.port)
    await client.fin()
    await client.expectEnd()
    await until(() => told.length >= 3, 'three events')
    expect(told).toEqual([[names[0], true, undefined], [names[1], true, undefined], [names[2], true, 'closed']])
    for (const name of names) unsubscribe(name, listener)
    await all.open(target.port)
    expect(told).toHaveLength(3)
  })

  it('publishes nothing of an instance that has ended', async () => {
    const told: unknown[] = []
    const listener = (message: unknown): void => void told.push(message)
    subscribe('sluice:session:close', listener)
    const { instance, [Symbol.asyncDispose]: dispose } = await watched()
    await dispose()
    expect(instance.events.has('session:close')).toBe(false)
    unsubscribe('sluice:session:close', listener)
    expect(told).toEqual([])
  })
})
