import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ProxyError, tcp, type ProxyErrorCode } from '@sluice/core'
import { testContext } from '@sluice/testkit'
import type { Attempt } from '../src/attempt.js'
import { Attempts } from '../src/attempts.js'
import { ServerPicker } from '../src/server-picker.js'
import { Server } from '../src/server.js'
import type { ServerSettings } from '../src/settings.js'

const serversOf = (...settings: Partial<ServerSettings>[]): Server[] =>
  settings.map((server, index) => new Server({ address: `proxy${index}.test`, port: 1, ...server }, 'propagate'))

interface Run {
  /** `address[user]` and when, in ms, for each try. */
  readonly tries: readonly { readonly server: string, readonly atMs: number, readonly limitMs: number }[]
  readonly error: ProxyError
  readonly tookMs: number
}

type Fail = (attempt: Attempt) => ProxyErrorCode | Promise<ProxyErrorCode>

/** Runs attempts that all fail as told: the code, in turn for each try. */
async function run(servers: Server[], fail: ProxyErrorCode | Fail, handshakeMs = 10_000, signal?: AbortSignal): Promise<Run> {
  const startedAt = performance.now()
  const tries: Run['tries'][number][] = []
  const ctx = testContext({ target: tcp('target.test', 443), ...(signal && { signal }) })
  const attempts = new Attempts(ctx, servers, new ServerPicker(servers), () => handshakeMs)
  const error = await attempts.run(async (attempt) => {
    tries.push({ server: attempt.server.name.slice(0, 6), atMs: performance.now() - startedAt, limitMs: attempt.limitMs })
    const code = typeof fail === 'string' ? fail : await fail(attempt)
    if (code === 'TIMEOUT') await sleep(attempt.limitMs)
    throw new ProxyError(code, `${attempt.server.name} says ${code}`, { server: attempt.server.name, phase: 'connect' })
  }, { discard: () => {} }).then(() => { throw new Error('a try succeeded') }, (reason: unknown) => reason as ProxyError)
  return { tries, error, tookMs: performance.now() - startedAt }
}

const order = ({ tries }: Run): string[] => tries.map(({ server }) => server)

describe('Attempts', () => {
  it('C066 tries a lone server five times, with 100, 200, 300, 400 ms between, less up to 20 %, and none after the last', async () => {
    const { tries, error, tookMs } = await run(serversOf({}), 'DIAL')
    const pauses = tries.slice(1).map(({ atMs }, index) => atMs - (tries[index]?.atMs ?? 0))
    expect(pauses).toHaveLength(4)
    for (const [index, pauseMs] of pauses.entries()) {
      const nominalMs = 100 * (index + 1)
      expect(pauseMs).toBeGreaterThan(0.8 * nominalMs - 2)
      expect(pauseMs).toBeLessThan(nominalMs + 200)
    }
    expect(tookMs - (tries.at(-1)?.atMs ?? 0)).toBeLessThan(80)
    expect(error).toMatchObject({ code: 'DIAL', server: 'proxy0.test:1' })
    expect(error.message).toBe('Cannot reach target.test:443: proxy0.test:1 says DIAL (5 times)')
    expect(error.attempts).toHaveLength(5)
    expect(error.cause).toBe(error.attempts.at(-1))
  })

  it('C066 tries each server before it pauses, and tells of each once', async () => {
    const result = await run(serversOf({}, {}), 'DIAL')
    expect(order(result)).toEqual(['proxy0', 'proxy1', 'proxy0', 'proxy1', 'proxy0'])
    expect(result.tookMs).toBeLessThan(300 + 200)
    expect(result.error.message).toBe('Cannot reach target.test:443: proxy0.test:1 says DIAL (3 times); proxy1.test:1 says DIAL (2 times)')
  })

  const once: readonly ProxyErrorCode[] = ['CERT', 'ALPN', 'PROTO', 'LIMIT', 'STATUS', 'AUTH']
  it.each(once)('asks each server once after %s, without a pause', async (code) => {
    const result = await run(serversOf({}, {}, {}), code)
    expect(order(result)).toEqual(['proxy0', 'proxy1', 'proxy2'])
    expect(result.tookMs).toBeLessThan(80)
  })

  it('G9 does not ask a server again that refused, while it goes on with the others', async () => {
    const result = await run(serversOf({}, {}), ({ server }) => (server.name.startsWith('proxy0') ? 'STATUS' : 'CLOSED'))
    expect(order(result)).toEqual(['proxy0', 'proxy1', 'proxy1', 'proxy1', 'proxy1'])
  })

  it('tries the same server again at once after REFUSED, five times in all', async () => {
    const result = await run(serversOf({}), 'REFUSED')
    expect(order(result)).toHaveLength(5)
    expect(result.tookMs).toBeLessThan(80)
  })

  it.each<ProxyErrorCode>(['TARGET', 'UNSUPPORTED', 'BLOCKED', 'INTERNAL'])('gives up at once after %s', async (code) => {
    const result = await run(serversOf({}, {}), code)
    expect(order(result)).toEqual(['proxy0'])
    expect(result.error).toMatchObject({ code, attempts: [] })
  })

  it('takes what is no ProxyError for a bug, and gives up', async () => {
    const result = await run(serversOf({}, {}), () => { throw new TypeError('x is not a function') })
    expect(order(result)).toHaveLength(1)
    expect(result.error).toMatchObject({ code: 'INTERNAL', cause: expect.any(TypeError) as unknown })
  })

  it('C051 tries each account of a server once, then the next server', async () => {
    const users = [{ user: 'a' }, { user: 'b' }, { user: 'c' }]
    const used: unknown[] = []
    const result = await run(serversOf({ users }, {}), ({ account }) => {
      used.push(account)
      return account === undefined ? 'STATUS' : 'AUTH'
    })
    expect(order(result).sort()).toEqual(['proxy0', 'proxy0', 'proxy0', 'proxy1'])
    expect(new Set(used).size).toBe(4)
  })

  it('asks a server with accounts never without one, also if all were refused during a pause', async () => {
    const servers = serversOf({ users: [{ user: 'a' }] })
    const result = await run(servers, ({ account }) => {
      setTimeout(() => account?.refuse(new ProxyError('AUTH', 'refused to another session', { server: 'proxy0.test:1' })), 20)
      return 'CLOSED'
    })
    expect(order(result)).toEqual(['proxy0'])
    expect(result.error.code).toBe('CLOSED')
  })

  it('says so where all accounts were refused before', async () => {
    const servers = serversOf({ users: [{ user: 'a' }] })
    const refusal = new ProxyError('AUTH', 'Server proxy0.test:1 refuses the password', { server: 'proxy0.test:1', status: 407 })
    servers[0]?.accounts[0]?.refuse(refusal)
    const result = await run(servers, 'CLOSED')
    expect(order(result)).toEqual([])
    expect(result.error).toMatchObject({ code: 'AUTH', phase: 'connect', server: 'proxy0.test:1', status: 407, cause: refusal })
    expect(result.error.message).toBe(`${refusal.message}; not asked again until restart`)
  })

  it('keeps an account for which another proxy on the way refused its own, and leaves the server', async () => {
    const servers = serversOf({ users: [{ user: 'a' }, { user: 'b' }] })
    const attempts = new Attempts(testContext({ target: tcp('target.test', 443) }), servers, new ServerPicker(servers), () => 0)
    let tries = 0
    await expect(attempts.run(async () => {
      tries++
      throw new ProxyError('AUTH', 'x', { server: 'outer.test:1' })
    }, { discard: () => {} })).rejects.toMatchObject({ code: 'AUTH', server: 'outer.test:1' })
    expect(tries).toBe(1)
  })

  it('C045 stops within three times the handshake limit, and blames no server for haste', async () => {
    const { tries, error, tookMs } = await run(serversOf({}), 'TIMEOUT', 100)
    expect(tries).toHaveLength(2)
    expect(tookMs).toBeLessThan(340)
    expect(error.code).toBe('TIMEOUT')
  })

  it('gives the last attempt what is left of the time', async () => {
    const { tries } = await run(serversOf({}, {}, {}, {}), async ({ server }): Promise<ProxyErrorCode> => {
      if (!server.name.startsWith('proxy0')) return 'TIMEOUT'
      await sleep(280)
      return 'CLOSED'
    }, 200)
    const limits = tries.map(({ limitMs }) => limitMs)
    expect(limits).toEqual([200, 200, expect.any(Number)])
    expect(limits[2]).toBeLessThanOrEqual(120)
  })

  it('tries nothing where there is no time for anything', async () => {
    const { tries, error } = await run(serversOf({}), 'CLOSED', 0.001)
    expect(tries).toEqual([])
    expect(error).toMatchObject({ code: 'TIMEOUT', phase: 'dial', side: 'upstream' })
  })

  it('has no limit where the handshake has none', async () => {
    const { tries } = await run(serversOf({}), 'STATUS', 0)
    expect(tries.map(({ limitMs }) => limitMs)).toEqual([0])
  })

  it('C066 a pause is broken off with the signal\'s reason as it is', async () => {
    const cancelling = new AbortController()
    const reason = { why: 'the client left' }
    const result = await run(serversOf({}), () => {
      setImmediate(() => { cancelling.abort(reason) })
      return 'CLOSED'
    }, 10_000, cancelling.signal)
    expect(result.error).toBe(reason)
    expect(result.tookMs).toBeLessThan(80)
    expect(order(result)).toHaveLength(1)
  })

  it('tries nothing for a session that is cancelled already', async () => {
    const result = await run(serversOf({}), 'CLOSED', 10_000, AbortSignal.abort('gone'))
    expect(order(result)).toEqual([])
    expect(result.error).toBe('gone')
  })
})
