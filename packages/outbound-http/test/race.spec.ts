import { describe, expect, it } from 'vitest'
import { InstanceEvents, ProxyError, tcp, type Connection, type Dialer } from '@sluice/core'
import { testContext, until, type ScriptedUpstream } from '@sluice/testkit'
import { Attempts } from '../src/attempts.js'
import { Outrun, type TryControl } from '../src/race.js'
import { ServerPicker } from '../src/server-picker.js'
import { Server } from '../src/server.js'
import { answer, createOutbound, dialer, serverOf, startUpstream, TARGET, WIRES, type Variant } from './harness.js'

const OPEN_LIMIT_MS = 1_500
const SOON_MS = 500
const OK = answer('HTTP/1.1 200 OK\r\n\r\n')

function wire(index: number): Variant {
  const variant = WIRES[index]
  if (variant === undefined) throw new Error('no wire')
  return variant
}

/** Takes connections, as the kernel does for a stopped process, and never says a word of TLS. */
function stopped(): Promise<ScriptedUpstream> {
  return startUpstream(wire(0), (peer) => peer.closed)
}

/** An attempt of which the test says how it goes on. */
interface Tried {
  readonly server: string
  readonly atMs: number
  readonly control: TryControl
  readonly open: () => void
  readonly fail: (code: 'DIAL' | 'STATUS') => void
}

function race(servers: number, signal = new AbortController().signal) {
  const startedAt = performance.now()
  const tries: Tried[] = []
  const discarded: string[] = []
  const all = Array.from({ length: servers }, (_, index) => new Server({ address: `proxy${index}.test`, port: 1 }, 'propagate'))
  const attempts = new Attempts(testContext({ target: TARGET, signal }), all, new ServerPicker(all), () => 10_000)
  const opened = attempts.run(({ server }, control) => new Promise<string>((resolve, reject) => {
    const name = server.name.slice(0, 6)
    tries.push({
      server: name, atMs: performance.now() - startedAt, control,
      open: () => resolve(name),
      fail: (code) => reject(new ProxyError(code, `${name} says ${code}`, { server: server.name, phase: 'dial' })),
    })
  }), { discard: (value) => discarded.push(value) })
  opened.catch(() => {})
  const tried = (count: number): Promise<void> => until(() => tries.length === count, `try ${count}`)
  return { servers: all, tries, discarded, opened, tried }
}

describe.concurrent('Attempts with a server that gives no connection', () => {
  it('tries another one beside it after 1 s; the first that opens wins, and the other is told that it was outrun', async () => {
    const { tries, opened, tried } = race(2)
    await tried(2)
    const [first, second] = tries
    expect(second?.atMs).toBeGreaterThan(900)
    expect(second?.atMs).toBeLessThan(OPEN_LIMIT_MS)
    expect(first?.control.signal.aborted).toBe(false)
    second?.open()
    expect(await opened).toBe('proxy1')
    expect(first?.control.signal.reason).toBeInstanceOf(Outrun)
    expect(first?.control.signal.reason).toMatchObject({ code: 'TIMEOUT', phase: 'dial', server: 'proxy0.test:1' })
  })

  it('may still win itself', async () => {
    const { tries, opened, tried } = race(2)
    await tried(2)
    tries[0]?.open()
    expect(await opened).toBe('proxy0')
    expect(tries[1]?.control.signal.aborted).toBe(true)
  })

  it('gets rid of a tunnel that opens too late', async () => {
    const { tries, opened, discarded, tried } = race(2)
    await tried(2)
    for (const { open } of tries) open()
    expect(await opened).toBe('proxy0')
    await until(() => discarded.length === 1, 'the other one')
    expect(discarded).toEqual(['proxy1'])
  })

  it('waits for the second when the first fails, and goes on when both have', async () => {
    const { tries, opened, tried } = race(3)
    await tried(2)
    tries[0]?.fail('DIAL')
    tries[1]?.fail('STATUS')
    await tried(3)
    expect(tries[2]?.server).toBe('proxy2')
    tries[2]?.open()
    expect(await opened).toBe('proxy2')
  })

  it('has no more than two at once, and that once in a session', async () => {
    const { tries, tried, opened } = race(3)
    await tried(2)
    tries[1]?.fail('STATUS')
    await new Promise((resolve) => { setTimeout(resolve, 1_200) })
    expect(tries).toHaveLength(2)
    tries[0]?.fail('DIAL')
    await tried(3)
    await new Promise((resolve) => { setTimeout(resolve, 1_200) })
    expect(tries).toHaveLength(3)
    tries[2]?.open()
    await opened
  })

  it.each([
    ['it has a connection by then', (run: ReturnType<typeof race>) => run.tries[0]?.control.onConnected()],
    ['the other servers rest', (run: ReturnType<typeof race>) => run.servers[1]?.health.rest(10_000)],
  ])('is waited for alone where %s', async (_, prepare) => {
    const run = race(2)
    await run.tried(1)
    prepare(run)
    await new Promise((resolve) => { setTimeout(resolve, 1_200) })
    expect(run.tries).toHaveLength(1)
    run.tries[0]?.open()
    await run.opened
  })

  it('breaks both off with the session, with its reason as it is', async () => {
    const cancelling = new AbortController()
    const { tries, opened, tried } = race(2, cancelling.signal)
    await tried(2)
    const reason = new Error('the client left')
    cancelling.abort(reason)
    await expect(opened).rejects.toBe(reason)
    for (const { control } of tries) expect(control.signal.reason).toBe(reason)
  })
})

describe('A stopped server', () => {
  it('costs a tunnel 1 s where there is another one, and rests after two', async () => {
    await using silent = await stopped()
    await using upstream = await startUpstream(wire(1), OK)
    const events = new InstanceEvents()
    const down: string[] = []
    events.on('server:down', ({ server, error }) => down.push(`${server} ${error.code}`))
    const outbound = createOutbound({ servers: [serverOf(silent), serverOf(upstream)] }, {}, events)
    const dials: { readonly port: number, readonly signal: AbortSignal }[] = []
    const real = dialer({})
    const over: Dialer = {
      dial: (to, options) => {
        dials.push({ port: to.port, signal: options.signal })
        return real.dial(to, options)
      },
    }
    const open = async (): Promise<number> => {
      const startedAt = performance.now()
      const ctx = testContext({ target: tcp('a.test', 443) })
      const tunnel: Connection = await outbound.connect(ctx, over)
      tunnel.destroy()
      expect(ctx.record.server).toBe(`127.0.0.1:${upstream.port}`)
      return performance.now() - startedAt
    }
    for (let count = 0; count < 2; count++) {
      const tookMs = await open()
      expect(tookMs).toBeGreaterThan(900)
      expect(tookMs).toBeLessThan(OPEN_LIMIT_MS)
    }
    // At most two dials for each, and those that lost are gone.
    expect(dials.map(({ port }) => port)).toEqual([silent.port, upstream.port, silent.port, upstream.port])
    expect(dials.filter(({ port }) => port === silent.port).map(({ signal }) => signal.aborted)).toEqual([true, true])
    expect(down).toEqual([`127.0.0.1:${silent.port} TIMEOUT`])
    expect(await open()).toBeLessThan(SOON_MS)
  })
})
