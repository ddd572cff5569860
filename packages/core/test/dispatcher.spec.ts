import { afterEach, describe, expect, it, vi } from 'vitest'
import { ProxyError, tcp, type Context, type Link, type SessionOutcome } from '../src/index.js'
import { aborted, ConnectionLink } from './memory-modules.js'
import { Carrier, client, rejection, type Process } from './one-session.js'

const LISTENED = ['close', 'error', 'end', 'data', 'readable'] as const

const listenersOf = (link: Link): number[] => LISTENED.map((name) => link.reader.listenerCount(name))

const opening: Process = async (_, link) => link.open()

afterEach(() => {
  vi.useRealTimers()
})

describe('dispatch()', () => {
  it('tells outbound and events who the session is', async () => {
    const seen: Context[] = []
    const carrier = new Carrier({ out: async (ctx, link) => {
      seen.push(ctx)
      link.open()
    } })
    const request = { target: tcp('example.com', 443), user: { name: 'ann', level: 2 } }
    await carrier.dispatch(client().link, request, { inboundTag: 'office', source: { host: '192.0.2.7', port: 4711 } })
    expect(seen[0]).toMatchObject({ ...request, inboundTag: 'office', source: { host: '192.0.2.7', port: 4711 } })
    expect(carrier.closed).toEqual(seen)
    expect(carrier.closed[0]).toBe(seen[0])
  })

  it('gives every session an id of its own, and no user or source where there is none', async () => {
    const carrier = new Carrier({ out: opening })
    for (let round = 0; round < 5; round++) await carrier.dispatch(client().link)
    expect(new Set(carrier.closed.map(({ id }) => id)).size).toBe(5)
    expect(carrier.closed.every(({ user, source }) => user === undefined && source === undefined)).toBe(true)
  })

  it('keeps the account with its times, and tells open, established and close once each', async () => {
    vi.useFakeTimers({ now: 1_000_000 })
    const carrier = new Carrier({ out: async ({ record }, link) => {
      vi.advanceTimersByTime(30)
      link.open()
      link.open()
      record.uplinkBytes = 5
      vi.advanceTimersByTime(70)
    } })
    await carrier.dispatch(client().link)
    const [session] = carrier.closed
    expect(session?.record).toEqual({
      startedAt: 1_000_000, establishedMs: 30, durationMs: 100, uplinkBytes: 5, downlinkBytes: 0, attempts: 0, outboundTag: 'out', outcome: 'closed',
    })
    expect(carrier.told).toEqual(['open', 'established', 'close'].map((name) => `${name} ${session?.id}`))
    expect(carrier.logged).toEqual([])
  })

  it('measures durations although the clock on the wall is set back', async () => {
    vi.useFakeTimers({ now: 1_000_000 })
    const carrier = new Carrier({ out: async (_, link) => {
      vi.advanceTimersByTime(10)
      vi.setSystemTime(0)
      link.open()
    } })
    await carrier.dispatch(client().link)
    expect(carrier.closed[0]?.record).toMatchObject({ establishedMs: 10, durationMs: 10 })
  })

  it('knows the session as alive until it has ended', async () => {
    const carrier = new Carrier({ out: async (ctx, link) => {
      expect([...carrier.sessions]).toEqual([ctx])
      link.open()
    } })
    await carrier.dispatch(client().link)
    expect(carrier.sessions.size).toBe(0)
  })

  it('gives the outbound the streams of the inbound themselves, its request head, and passes open() on once with its form', async () => {
    const how: unknown[] = []
    class HttpLink extends ConnectionLink {
      readonly http = { method: 'GET', scheme: 'http', path: '/', headers: [] }

      override open(form?: unknown): void {
        how.push(form)
        super.open()
      }
    }
    const inner = new HttpLink(client().link.reader)
    const carrier = new Carrier({ out: async (_, link) => {
      expect([link.reader, link.writer, link.http]).toEqual([inner.reader, inner.writer, inner.http])
      expect(link.reader).toBe(inner.reader)
      link.open({ form: 'absolute' })
      link.open({ form: 'origin' })
      expect(link.opened).toBe(true)
    } })
    await carrier.dispatch(inner)
    expect(how).toEqual([{ form: 'absolute' }])
  })
})

describe('the route of a session', () => {
  const tags = { first: opening, second: opening }
  const outboundOf = async (carrier: Carrier): Promise<string | undefined> => {
    await carrier.dispatch(client().link)
    return carrier.closed[0]?.record.outboundTag
  }

  it('is the first outbound where no rule matches, and else the outbound of the rule', async () => {
    expect(await outboundOf(new Carrier(tags))).toBe('first')
    expect(await outboundOf(new Carrier(tags, { router: { route: () => ({ outboundTag: 'second' }) } }))).toBe('second')
    expect(await outboundOf(new Carrier(tags, { router: { route: () => Promise.resolve({ outboundTag: 'second' }) } }))).toBe('second')
    expect(await outboundOf(new Carrier({ '': opening }))).toBe('')
  })

  it.each([
    ['to a tag that no outbound has', new Carrier(tags, { router: { route: () => ({ outboundTag: 'third' }) } }), 'no outbound has the tag "third"'],
    ['without any outbound', new Carrier({}), 'the config has no outbound'],
  ])('%s is INTERNAL, and never another outbound', async (_, carrier, why) => {
    const { link } = client()
    const error = await rejection(carrier.dispatch(link))
    expect(error).toMatchObject({ code: 'INTERNAL', side: 'internal', message: `Cannot route to example.com:443: ${why}` })
    expect(carrier.closed[0]?.record).toMatchObject({ outcome: 'failed', error })
    expect(carrier.told).toEqual([`close ${carrier.closed[0]?.id}`])
    expect(link.aborted).toBeUndefined()
  })

  it('that the router fails to find is INTERNAL', async () => {
    const boom = new TypeError('boom')
    const carrier = new Carrier(tags, { router: { route: () => {
      throw boom
    } } })
    expect(await rejection(carrier.dispatch(client().link))).toMatchObject({ code: 'INTERNAL', cause: boom })
  })
})

describe('the end of a session', () => {
  const refused = new ProxyError('STATUS', 'Server "a:1" answered 403', { status: 403 })
  const cut = new ProxyError('ABORT', 'Server "a:1" was lost', { phase: 'relay' })
  const bug = new TypeError('x is not a function')

  interface Ending {
    readonly process: Process
    readonly outcome: SessionOutcome
    /** What dispatch() rejects with. */
    readonly told?: unknown
    /** What the link was aborted with. */
    readonly linkError?: unknown
    readonly log?: string
  }

  const internal = expect.objectContaining({ code: 'INTERNAL', cause: bug }) as unknown
  const endings: readonly (readonly [string, Ending])[] = [
    ['resolves after open', { process: opening, outcome: 'closed' }],
    ['resolves after open as idle', {
      process: async ({ record }, link) => {
        link.open()
        record.outcome = 'idle'
      },
      outcome: 'idle',
    }],
    ['rejects before open', { process: () => Promise.reject(refused), outcome: 'failed', told: refused, log: 'warning: example.com:443 [out] failed: Server "a:1" answered 403' }],
    ['rejects before open with a bug', {
      process: () => Promise.reject(bug), outcome: 'failed', told: internal, log: 'warning: example.com:443 [out] failed: Unexpected failure: x is not a function',
    }],
    ['throws before open', {
      process: () => {
        throw bug
      },
      outcome: 'failed', told: internal, log: 'warning: example.com:443 [out] failed: Unexpected failure: x is not a function',
    }],
    ['resolves without open', {
      process: () => Promise.resolve(),
      outcome: 'failed',
      told: expect.objectContaining({ code: 'INTERNAL', message: 'Outbound "out" ended without opening the link' }),
      linkError: expect.objectContaining({ code: 'INTERNAL' }),
      log: 'warning: example.com:443 [out] failed: Outbound "out" ended without opening the link',
    }],
    ['rejects after open', {
      process: async (_, link) => {
        link.open()
        throw cut
      },
      outcome: 'aborted', log: 'info: example.com:443 [out] aborted: Server "a:1" was lost',
    }],
    ['rejects after open with a bug', {
      process: async (_, link) => {
        link.open()
        throw bug
      },
      outcome: 'aborted', linkError: internal, log: 'warning: example.com:443 [out] aborted: Unexpected failure: x is not a function',
    }],
  ]

  it.each(endings)('process() %s', async (_, { process, outcome, told, linkError, log }) => {
    const carrier = new Carrier({ out: process })
    const { link } = client()
    const before = listenersOf(link)
    expect(await rejection(carrier.dispatch(link))).toEqual(told)
    const [session] = carrier.closed
    expect(session?.record.outcome).toBe(outcome)
    expect(session?.record.error === undefined).toBe(outcome === 'closed' || outcome === 'idle')
    expect(session?.record.durationMs).toBeGreaterThanOrEqual(0)
    expect(link.aborted).toEqual(linkError)
    expect(carrier.told.filter((name) => name.startsWith('close'))).toHaveLength(1)
    expect(carrier.logged.map(({ level, message }) => `${level}: ${message}`)).toEqual(log === undefined ? [] : [log])
    expect(carrier.logged.every((entry) => entry.session === session && entry.error === session?.record.error)).toBe(true)
    expect(listenersOf(link)).toEqual(before)
    expect(carrier.sessions.size).toBe(0)
  })

  it('leaves the link untouched where it was refused before open', async () => {
    const { socket, link } = client()
    socket.write('first bytes')
    await rejection(new Carrier({ out: () => Promise.reject(refused) }).dispatch(link))
    expect([link.opens, link.aborted, link.reader.destroyed]).toEqual([0, undefined, false])
    expect(String(link.reader.read())).toBe('first bytes')
  })

  it('shows no control character of a target in log or message', async () => {
    const carrier = new Carrier({ out: () => Promise.reject(refused) }, { router: { route: () => ({ outboundTag: 'none' }) } })
    const error = await rejection(carrier.dispatch(client().link, { target: tcp('evil\n2026 admin logged in\u001b[2J', 80) }))
    expect((error as Error).message).toBe('Cannot route to evil?2026 admin logged in?[2J:80: no outbound has the tag "none"')
    expect(carrier.logged[0]?.message).toMatch(/^evil\?2026 admin logged in\?\[2J:80 \[\] failed: /)
  })

  it('is not harmed by listeners that throw', async () => {
    const carrier = new Carrier({ out: opening })
    for (const name of ['session:open', 'session:established', 'session:close', 'log'] as const) {
      carrier.events.on(name, () => {
        throw new Error('a broken listener')
      })
    }
    await carrier.dispatch(client().link)
    expect(carrier.closed[0]?.record.outcome).toBe('closed')
    expect(carrier.told).toHaveLength(3)
    expect(carrier.logged.map(({ message }) => message)).toEqual(['open', 'established', 'close'].map((name) => `A listener for session:${name} threw`))
  })
})

describe('a client that leaves', () => {
  const waiting: Process = async ({ signal }) => {
    await aborted(signal)
    throw signal.reason
  }

  it.each([
    ['by closing', undefined], ['by a reset', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })],
  ])('before open, %s, cancels the session with the reason', async (_, error) => {
    const carrier = new Carrier({ out: waiting })
    const { link } = client()
    const before = listenersOf(link)
    const dispatched = rejection(carrier.dispatch(link))
    link.reader.destroy(error)
    const reason = await dispatched
    expect(reason).toMatchObject({ code: 'ABORT', side: 'downstream', phase: 'connect', message: 'The client left before the tunnel opened' })
    const [session] = carrier.closed
    expect(session?.signal.reason).toBe(reason)
    expect(session?.record).toMatchObject({ outcome: 'cancelled', error: reason })
    expect(carrier.logged.map(({ level, message }) => `${level}: ${message}`)).toEqual(['info: example.com:443 [out] cancelled: The client left before the tunnel opened'])
    expect(listenersOf(link)).toEqual(before)
  })

  it('before it is dispatched is never carried', async () => {
    let carried = false
    const carrier = new Carrier({ out: async () => {
      carried = true
    } })
    const { link } = client()
    link.reader.destroy()
    expect(await rejection(carrier.dispatch(link))).toMatchObject({ code: 'ABORT', side: 'downstream' })
    expect([carried, carrier.closed[0]?.record.outcome]).toEqual([false, 'cancelled'])
  })

  it('while its route is looked up is never carried', async () => {
    const { link } = client()
    const carrier = new Carrier({ out: opening }, { router: { route: async () => {
      link.reader.destroy()
      await new Promise((resolve) => link.reader.once('close', resolve))
      return undefined
    } } })
    expect(await rejection(carrier.dispatch(link))).toMatchObject({ code: 'ABORT' })
    expect(link.opens).toBe(0)
  })

  it('after open does not cancel: the tunnel is for the outbound to end', async () => {
    const carrier = new Carrier({ out: async (ctx, link) => {
      link.open()
      link.reader.destroy()
      await new Promise((resolve) => link.reader.once('close', resolve))
      expect(ctx.signal.aborted).toBe(false)
    } })
    await carrier.dispatch(client().link)
    expect(carrier.closed[0]?.record.outcome).toBe('closed')
  })

  it('because the outbound aborted the link is not said to have left', async () => {
    const refused = new ProxyError('BLOCKED', 'Not there')
    const carrier = new Carrier({ out: async (_, link) => {
      link.abort(refused)
      await new Promise((resolve) => link.reader.once('close', resolve))
      throw refused
    } })
    const { link } = client()
    expect(await rejection(carrier.dispatch(link))).toBe(refused)
    expect([link.aborted, carrier.closed[0]?.record.outcome]).toEqual([refused, 'failed'])
  })
})
