import { describe, expect, it } from 'vitest'
import { InstanceEvents, ProxyError, type LogEntry } from '../src/index.js'

const SERVER_UP = { outboundTag: 'proxy', server: 'a:1' }

function eventsWithLog(): { events: InstanceEvents; entries: LogEntry[] } {
  const events = new InstanceEvents()
  const entries: LogEntry[] = []
  events.on('log', (entry) => void entries.push(entry))
  return { events, entries }
}

describe('InstanceEvents', () => {
  it('tells every listener, in order, until it is removed', () => {
    const events = new InstanceEvents()
    const heard: string[] = []
    const removeFirst = events.on('server:up', ({ server }) => heard.push(`1 ${server}`))
    events.on('server:up', ({ server }) => heard.push(`2 ${server}`))
    events.emit('server:up', SERVER_UP)
    removeFirst()
    removeFirst()
    events.emit('server:up', SERVER_UP)
    expect(heard).toEqual(['1 a:1', '2 a:1', '2 a:1'])
  })

  it('removes only the registration that the remover came from', () => {
    const events = new InstanceEvents()
    let calls = 0
    const listener = (): void => void calls++
    const removers = [events.on('server:up', listener), events.on('server:up', listener)]
    removers[0]?.()
    events.emit('server:up', SERVER_UP)
    expect(calls).toBe(1)
    removers[1]?.()
    expect(events.has('server:up')).toBe(false)
  })

  it('keeps a listener that throws from harming the sender and the other listeners', () => {
    const { events, entries } = eventsWithLog()
    const boom = new Error('boom')
    let heard = 0
    events.on('server:up', () => {
      throw boom
    })
    events.on('server:up', () => void heard++)
    events.emit('server:up', SERVER_UP)
    expect(heard).toBe(1)
    expect(entries).toEqual([{ level: 'error', message: 'A listener for server:up threw', error: boom }])
  })

  it('keeps a listener that rejects from ending the process', async () => {
    const { events, entries } = eventsWithLog()
    const boom = new Error('boom')
    events.on('server:up', () => Promise.reject(boom))
    events.emit('server:up', SERVER_UP)
    await Promise.resolve()
    expect(entries).toEqual([{ level: 'error', message: 'A listener for server:up threw', error: boom }])
  })

  it('survives a log listener that throws, rejects, or logs itself', async () => {
    const { events, entries } = eventsWithLog()
    events.on('log', () => {
      throw new Error('the disk is full')
    })
    events.on('log', () => Promise.reject(new Error('the disk is full')))
    events.log('info', 'x')
    await Promise.resolve()
    expect(entries).toEqual([{ level: 'info', message: 'x' }])
  })

  it('log() carries the session and the error, and costs nothing where nobody listens', () => {
    const { events, entries } = eventsWithLog()
    const error = new ProxyError('DNS', 'x')
    events.log('warning', 'x', { error })
    expect(entries).toEqual([{ level: 'warning', message: 'x', error }])
    expect(new InstanceEvents().has('log')).toBe(false)
    new InstanceEvents().log('error', 'unheard')
  })
})
