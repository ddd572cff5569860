import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  createInstance, defineFeature, defineInbound, LIVE_SESSIONS,
  type Config, type Context, type Inbound, type Instance, type LogEntry, type Module, type Outbound, type SessionOutcome,
} from '../src/index.js'
import { aborted, ConnectionLink, lineInbound, patientOutbound, scriptOutbound } from './memory-modules.js'
import { memoryTransport, type MemoryListener } from './memory-transport.js'
import { client, rejection } from './one-session.js'

declare module '../src/definition/settings.js' {
  interface FeatureSections { noting: Record<string, never>; noting2: Record<string, never> }
  interface InboundSettings { odd: Record<string, never> }
}

const schema = { type: 'object', additionalProperties: false, properties: {} } as const

interface Running {
  readonly instance: Instance
  readonly listeners: readonly MemoryListener[]
  /** What was started and closed, in order. */
  readonly done: string[]
  readonly logged: LogEntry[]
  readonly closed: Context[]
}

/** An instance whose parts note when they start and close; its outbounds do as `outbound` does. */
function build(outbound: Outbound, config: Config, ...more: Module[]): Running {
  const done: string[] = []
  const transport = memoryTransport((event) => void done.push(event))
  const noting = (section: 'noting' | 'noting2'): Module => defineFeature({
    section, schema, create: () => ({ start: () => void done.push(`start ${section}`), close: () => void done.push(`close ${section}`) }),
  })
  const outbounds = scriptOutbound(({ note = '' }) => ({
    process: outbound.process.bind(outbound),
    start: () => void done.push(`start ${note}`),
    close: () => void done.push(`close ${note}`),
  }))
  const instance = createInstance(config, { modules: [transport.module, lineInbound, outbounds, noting('noting'), noting('noting2'), ...more] })
  const logged: LogEntry[] = []
  const closed: Context[] = []
  instance.events.on('log', (entry) => void logged.push(entry))
  instance.events.on('session:close', (session) => void closed.push(session))
  return { instance, listeners: transport.listeners, done, logged, closed }
}

const CONFIG: Config = {
  inbounds: [{ protocol: 'line', port: 1080, tag: 'in' }, { protocol: 'line', port: 1081 }],
  outbounds: [{ protocol: 'script', tag: 'out', settings: { note: 'one' } }, { protocol: 'script', settings: { note: 'two' } }],
}

/** Lets everything happen that only waits for its turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const outcomes = ({ closed }: Running): (SessionOutcome | undefined)[] => closed.map(({ record }) => record.outcome)

afterEach(() => {
  vi.useRealTimers()
})

describe('start()', () => {
  it('starts features, outbounds and inbounds, and stop() closes them in reverse', async () => {
    const { instance, done } = build(patientOutbound, CONFIG)
    expect(done).toEqual([])
    expect(instance.listening).toEqual([])
    await instance.start()
    expect(done.splice(0)).toEqual(['start noting', 'start noting2', 'start one', 'start two', 'start 1080', 'start 1081'])
    expect(instance.listening).toEqual([
      { tag: 'in', protocol: 'line', address: { host: '127.0.0.1', port: 1080 } },
      { tag: '', protocol: 'line', address: { host: '127.0.0.1', port: 1081 } },
    ])
    expect(await instance.stop()).toEqual({ cut: 0 })
    expect(done).toEqual(['close 1081', 'close 1080', 'close two', 'close one', 'close noting2', 'close noting'])
  })

  it('leaves nothing open where an inbound cannot listen', async () => {
    const { instance, done, listeners } = build(patientOutbound, { ...CONFIG, inbounds: [{ protocol: 'line', port: 1080 }, { protocol: 'line', port: 1 }] })
    expect(await rejection(instance.start())).toEqual(new Error('Cannot listen on 127.0.0.1:1: permission denied'))
    expect(done.slice(5)).toEqual(['start 1', 'close 1', 'close 1080', 'close two', 'close one', 'close noting2', 'close noting'])
    expect(listeners.some(({ accepts }) => accepts)).toBe(false)
    expect(await instance.stop()).toEqual({ cut: 0 })
  })

  it('is undone by a stop() meanwhile', async () => {
    const { instance, done, listeners } = build(patientOutbound, CONFIG)
    const started = rejection(instance.start())
    await instance.stop()
    expect(await started).toEqual(new Error('Cannot go on with the start: the instance was stopped meanwhile'))
    expect(done.filter((event) => event.startsWith('close')).length).toBe(done.length / 2)
    expect(listeners.some(({ accepts }) => accepts)).toBe(false)
  })
})

describe('an inbound', () => {
  const oddInbound = (handle: Inbound['handle'], drain?: () => void): Module =>
    defineInbound({ protocol: 'odd', schema, authenticates: () => true, create: () => ({ handle, ...(drain === undefined ? {} : { drain }) }) })

  const ODD: Config = { inbounds: [{ protocol: 'odd', port: 1080, tag: 'odd' }] }

  it('says where its clients come from', async () => {
    const running = build({ process: async (_, link) => link.open() }, CONFIG)
    await running.instance.start()
    running.listeners[0]?.connect().resume()
    await turn()
    expect(running.closed[0]).toMatchObject({ inboundTag: 'in', source: { host: '192.0.2.7', port: 4711 }, target: { host: 'example.com', port: 443 } })
    await running.instance.stop()
  })

  it('answers a refusal by its code', async () => {
    const running = build({ process: () => Promise.reject(new TypeError('a bug')) }, CONFIG)
    await running.instance.start()
    const answer = await running.listeners[0]?.connect().setEncoding('utf8').toArray()
    expect(answer).toEqual(['REFUSED 1 500\n'])
    await running.instance.stop()
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('a bug'))],
    ['throws', () => {
      throw new Error('a bug')
    }],
  ])('that %s is logged as INTERNAL, and its connection destroyed with the error', async (_, handle) => {
    let received: Error | undefined
    const running = build(patientOutbound, ODD, oddInbound((connection) => {
      connection.on('error', (error) => {
        received = error
      })
      return handle()
    }))
    await running.instance.start()
    const peer = running.listeners[0]?.connect()
    await turn()
    expect(received).toMatchObject({ code: 'INTERNAL', side: 'internal' })
    expect(running.logged.map(({ level, message }) => `${level}: ${message}`)).toEqual(['error: Inbound "odd" failed on a connection: Unexpected failure: a bug'])
    peer?.destroy()
    await running.instance.stop()
  })

  it('lets go at once of what only waits when the instance stops; if it throws, the others do so all the same', async () => {
    const drained: string[] = []
    const running = build(patientOutbound, { inbounds: [{ protocol: 'odd', port: 1080, tag: 'odd' }, { protocol: 'odd', port: 1081 }] }, oddInbound(
      () => Promise.resolve(),
      () => {
        drained.push('drain')
        throw new Error('a bug')
      },
    ))
    await running.instance.start()
    expect(await running.instance.stop()).toEqual({ cut: 0 })
    expect(drained).toEqual(['drain', 'drain'])
    expect(running.logged.map(({ message }) => message)).toEqual(['Inbound "odd" failed to drain', 'Inbound "" failed to drain'])
    expect(running.done.slice(-4)).toEqual(['close 1081', 'close 1080', 'close noting2', 'close noting'])
  })
})

describe('dispatch()', () => {
  it('carries a session of the program\'s own', async () => {
    const running = build({ process: async (_, link) => link.open() }, CONFIG)
    await running.instance.start()
    const { link } = client()
    await running.instance.dispatch({ target: { network: 'tcp', host: 'a', port: 1 } }, link)
    expect(link.opened).toBe(true)
    expect(running.closed[0]).toMatchObject({ inboundTag: '', target: { host: 'a' }, record: { outboundTag: 'out', outcome: 'closed' } })
    await running.instance.stop()
  })

  it('is refused once the instance has stopped', async () => {
    const { instance } = build(patientOutbound, CONFIG)
    await instance.start()
    await instance.stop()
    const error = await rejection(instance.dispatch({ target: { network: 'tcp', host: 'a', port: 1 } }, client().link))
    expect(error).toMatchObject({ code: 'ABORT', message: 'The proxy stops' })
  })
})

describe('LIVE_SESSIONS', () => {
  it('lets a module end one session, and no other, as an error', async () => {
    const all = build(patientOutbound, CONFIG)
    await all.instance.start()
    for (let index = 0; index < 2; index++) all.listeners[0]?.connect().resume()
    await turn()
    const live = all.instance.get(LIVE_SESSIONS)
    const [first, second] = [...live]
    first?.cancel(new Error('enough'))
    await turn()
    expect(all.closed).toEqual([first])
    expect(first?.record).toMatchObject({ outcome: 'cancelled', error: new Error('enough') })
    expect([live.size, ...live]).toEqual([1, second])
    await all.instance.stop({ drainMs: 0 })
  })
})

describe('stop()', () => {
  /** An instance with that many clients in it. */
  async function running(sessions: number, outbound: Outbound = patientOutbound): Promise<Running> {
    const all = build(outbound, CONFIG)
    await all.instance.start()
    for (let index = 0; index < sessions; index++) all.listeners[0]?.connect().resume()
    await turn()
    expect(all.instance.connections()).toHaveLength(sessions)
    return all
  }

  /** Sessions that end in order when they are told to. */
  function endingOutbound(): Outbound & { end: () => void } {
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    return { end, process: async ({ signal }, link) => {
      link.open()
      await Promise.race([ended, aborted(signal)])
      signal.throwIfAborted()
      link.writer.end()
    } }
  }

  it('accepts no more at once, and waits for the sessions that are alive', async () => {
    const outbound = endingOutbound()
    const all = await running(2, outbound)
    let stopped = false
    const stopping = all.instance.stop().finally(() => {
      stopped = true
    })
    expect(all.listeners.map(({ accepts }) => accepts)).toEqual([false, false])
    await turn()
    expect([stopped, all.done.some((event) => event.startsWith('close'))]).toEqual([false, false])
    outbound.end()
    expect(await stopping).toEqual({ cut: 0 })
    expect(outcomes(all)).toEqual(['closed', 'closed'])
    expect(all.instance.connections()).toEqual([])
  })

  it('cuts at its limit what is still alive, says why, and counts it', async () => {
    const all = await running(3)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const stopping = all.instance.stop({ drainMs: 5_000 })
    await vi.advanceTimersByTimeAsync(4_999)
    expect(all.closed).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(await stopping).toEqual({ cut: 3 })
    expect(outcomes(all)).toEqual(['cancelled', 'cancelled', 'cancelled'])
    expect(all.closed[0]?.record.error).toMatchObject({ code: 'ABORT', side: 'internal', message: 'The proxy stops' })
    expect(all.done.slice(-6)[0]).toBe('close 1081')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits ten seconds unless it is told otherwise, and leaves no timer', async () => {
    const all = await running(1)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const stopping = all.instance.stop()
    await vi.advanceTimersByTimeAsync(9_999)
    expect(all.closed).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(await stopping).toEqual({ cut: 1 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('may be hurried by a second call, and never delayed; both have one result', async () => {
    const all = await running(2)
    const first = all.instance.stop({ drainMs: 60_000 })
    const second = all.instance.stop({ drainMs: 120_000 })
    await turn()
    expect(all.closed).toEqual([])
    const third = all.instance.stop({ drainMs: 0 })
    expect([second, third]).toEqual([first, first])
    expect(await third).toEqual({ cut: 2 })
    expect(await all.instance.stop()).toEqual({ cut: 2 })
  })

  it('can wait for as long as it takes', async () => {
    const outbound = endingOutbound()
    const all = await running(1, outbound)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const stopping = Promise.race([all.instance.stop({ drainMs: Number.POSITIVE_INFINITY }), all.instance.stop({ drainMs: 2 ** 40 })])
    await vi.advanceTimersByTimeAsync(86_400_000)
    expect(all.closed).toEqual([])
    outbound.end()
    expect(await stopping).toEqual({ cut: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('cancels a session that a client brings after the cut', async () => {
    let late: Promise<unknown> | undefined
    const inbound = defineInbound({ protocol: 'odd', schema, authenticates: () => true, create: () => ({
      async handle(connection, dispatch) {
        const request = { target: { network: 'tcp', host: 'a', port: 1 } } as const
        await dispatch(request, new ConnectionLink(connection))
        late = rejection(dispatch(request, client().link))
      },
    }) })
    const all = build(patientOutbound, { ...CONFIG, inbounds: [{ protocol: 'odd', port: 1080 }] }, inbound)
    await all.instance.start()
    all.listeners[0]?.connect().resume()
    await turn()
    expect(await all.instance.stop({ drainMs: 0 })).toEqual({ cut: 1 })
    expect(await late).toMatchObject({ code: 'ABORT', side: 'internal', message: 'The proxy stops' })
    expect(outcomes(all)).toEqual(['cancelled', 'cancelled'])
  })

  it('does not wait for ever for an outbound that ignores the signal', async () => {
    const all = await running(1, { process: async (_, link) => {
      link.open()
      await new Promise(() => {})
    } })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const stopping = all.instance.stop({ drainMs: 0 })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await stopping).toEqual({ cut: 1 })
    expect(all.logged.map(({ level, message }) => `${level}: ${message}`)).toEqual(['error: Sessions that did not end when they were cut: 1'])
    expect(all.done.slice(-1)).toEqual(['close noting'])
  })

  it('closes all although one fails to, and then throws that error', async () => {
    const failing = defineInbound({ protocol: 'odd', schema, authenticates: () => true, create: () => ({ handle: () => Promise.resolve() }) })
    const all = build(patientOutbound, { ...CONFIG, inbounds: [{ protocol: 'odd', port: 1080 }] }, failing)
    const listener = all.listeners[0]
    if (listener !== undefined) listener.close = () => Promise.reject(new Error('Cannot close 1080'))
    await all.instance.start()
    expect(await rejection(all.instance.stop())).toEqual(new Error('Cannot close 1080'))
    expect(all.done.slice(-4)).toEqual(['close two', 'close one', 'close noting2', 'close noting'])
  })

  it('does nothing to what never started', async () => {
    const { instance, done } = build(patientOutbound, CONFIG)
    expect(await instance.stop()).toEqual({ cut: 0 })
    expect(done).toEqual([])
    expect(await rejection(instance.start())).toEqual(new Error('Cannot start an instance twice: create another'))
  })

  it('is what `await using` does at the end of its block', async () => {
    const { instance, done } = build(patientOutbound, CONFIG)
    {
      await using used = instance
      await used.start()
    }
    expect(done.slice(-1)).toEqual(['close noting'])
  })

  it('leaves another instance of the same modules alone', async () => {
    const [one, other] = [await running(1), await running(1)]
    await one.instance.stop({ drainMs: 0 })
    expect(other.instance.connections()).toHaveLength(1)
    expect(other.listeners[0]?.accepts).toBe(true)
    expect(await other.instance.stop({ drainMs: 0 })).toEqual({ cut: 1 })
  })
})
