import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ProxyError } from '@sluice/core'
import { leakCounter, testContext } from '@sluice/testkit'
import { answer, Case, createOutbound, requestFor, serverOf, Session, startUpstream, TARGET, VARIANTS, WIRES } from './harness.js'

const ACCOUNT = { user: 'me', pass: 'secret' }
const CREDENTIALS = 'Proxy-Authorization: Basic bWU6c2VjcmV0'
const WITH_CREDENTIALS = requestFor(undefined, CREDENTIALS)
const withAccount = { server: { users: [ACCOUNT] } }
const BASIC = 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n'

for (const variant of VARIANTS) describe(`A refusal over ${variant.over}`, () => {
  it('C050 407 where no account is configured is AUTH, after one request', async () => {
    await using run = await Case.start(variant, answer(`${BASIC}Content-Length: 4\r\nProxy-Connection: keep-alive\r\n\r\nbody`))
    const { message } = await run.fails({ code: 'AUTH', status: 407 })
    expect(message).toContain('set "users" of the server')
  })

  it('C051 407 to our credentials is AUTH, and they are not sent again', async () => {
    await using run = await Case.start(variant, answer(`${BASIC}Content-Length: 0\r\n\r\n`), withAccount)
    const error = await run.fails({ code: 'AUTH', status: 407 }, WITH_CREDENTIALS)
    expect(error.message).toContain('refuses the user or password')
    expect(inspect(error, { depth: 9 })).not.toMatch(/secret|bWU6c2VjcmV0/)
  })

  it.each([
    ['no credentials that we could send', 'Negotiate'],
    ['two such schemes in one field', 'Negotiate, NTLM'],
    ['two such schemes in two fields', 'NTLM\r\nProxy-Authenticate: Digest realm="Basic x", nonce="y"'],
  ])('C054 407 for %s is AUTH and names the schemes', async (_, challenge) => {
    await using run = await Case.start(variant, answer(`HTTP/1.1 407 x\r\nProxy-Authenticate: ${challenge}\r\n\r\n`), withAccount)
    const { message } = await run.fails({ code: 'AUTH', status: 407 }, WITH_CREDENTIALS)
    expect(message).toMatch(/unsupported scheme of authentication \(407\): (Negotiate|NTLM)/)
  })

  it.each([
    ['407 without a challenge', 407, 'HTTP/1.1 407 x\r\n\r\n'],
    ['401, as tinyproxy says', 401, 'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="Tinyproxy"\r\n\r\n'],
  ])('C056 %s is AUTH', async (_, status, text) => {
    await using run = await Case.start(variant, answer(text), withAccount)
    await run.fails({ code: 'AUTH', status }, WITH_CREDENTIALS)
  })

  it('C058 407 whose body is framed in two ways and keeps to neither is AUTH', async () => {
    const framing = 'Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n'
    await using run = await Case.start(variant, answer(`${BASIC}${framing}not chunked at all`))
    await run.fails({ code: 'AUTH', status: 407 })
  })

  it('C060 403 with a page is STATUS, after one request', async () => {
    await using run = await Case.start(variant, answer('HTTP/1.1 403 Forbidden\r\nContent-Length: 3072\r\n\r\n', '<'.repeat(3_072)))
    await run.fails({ code: 'STATUS', status: 403 })
  })

  it.each([400, 404, 405, 421, 426, 500, 501, 502, 503, 504])('C064 %d is STATUS', async (status) => {
    await using run = await Case.start(variant, answer(`HTTP/1.1 ${status} why\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n`))
    await run.fails({ code: 'STATUS', status })
  })

  it.each([300, 302, 418, 451, 599])('C065 %d is STATUS, and its number is kept', async (status) => {
    await using run = await Case.start(variant, answer(`HTTP/1.1 ${status}\r\nLocation: http://127.0.0.1:1/\r\n\r\n`))
    const { message } = await run.fails({ code: 'STATUS', status })
    expect(message).toMatch(new RegExp(`${status}$`))
  })
})

for (const variant of WIRES) describe(`A refusal over ${variant.over}`, () => {
  it('C051 a storm of 100 tunnels with a wrong password makes at most 100 requests, and the account rests', async () => {
    const counter = leakCounter()
    await using upstream = await startUpstream(variant, answer(`${BASIC}\r\n`))
    const outbound = createOutbound({ servers: [serverOf(upstream, { users: [ACCOUNT] })] })
    const open = (): Promise<ProxyError> => outbound.connect(testContext({ target: TARGET }), variant.dialer).then(
      () => { throw new Error('opened') }, (error: unknown) => error as ProxyError,
    )
    const errors = await Promise.all(Array.from({ length: 100 }, open))
    const asked = upstream.requests.length
    expect(asked).toBeLessThanOrEqual(100)
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['AUTH']))

    const later = await open()
    expect(later).toMatchObject({ code: 'AUTH', status: 407, side: 'upstream', phase: 'connect', server: `127.0.0.1:${upstream.port}` })
    expect(later.message).toContain('not asked again until restart')
    expect(upstream.requests).toHaveLength(asked)
    await upstream.close()
    await counter.expectNoLeaks(100)
  })

  it.each([
    ['Connection: close', `${BASIC}Connection: close\r\nContent-Length: 0\r\n\r\n`],
    ['HTTP/1.0', 'HTTP/1.0 407 x\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n'],
    ['keep-alive', `${BASIC}Content-Length: 0\r\nConnection: keep-alive\r\n\r\n`],
    ['no framing', `${BASIC}\r\n`],
  ])('C053 after 407 with %s another account is tried on a connection of its own', async (_, refusal) => {
    await using upstream = await startUpstream(variant, async (peer, say) => {
      await peer.expectHead()
      await say(peer.index === 0 ? refusal : 'HTTP/1.1 200 OK\r\n\r\n')
    })
    const users = [ACCOUNT, { user: 'you', pass: 'secret' }]
    const session = await Session.start(createOutbound({ servers: [serverOf(upstream, { users })] }), variant.dialer)
    await session.opened()
    expect(upstream.connections).toBe(2)
    const other = requestFor(undefined, 'Proxy-Authorization: Basic eW91OnNlY3JldA==')
    expect([...upstream.requests].sort()).toEqual([WITH_CREDENTIALS, other])
    expect(session.ctx.record.attempts).toBe(2)
    const peer = await upstream.peer(1)
    await peer.expect('client speaks first')
    await session.end(peer)
    session.close()
  })

  it.each([
    ['announces 1e12 bytes', 'Content-Length: 1000000000000\r\n'],
    ['announces chunks', 'Transfer-Encoding: chunked\r\n'],
    ['announces nothing', ''],
  ])('C059 407 with a body without end that %s is AUTH at once', async (_, framing) => {
    await using run = await Case.start(variant, async (peer) => {
      await peer.expectHead()
      await peer.send(`${BASIC}${framing}\r\n`)
      while (!peer.socket.destroyed) await peer.send('x'.repeat(1_000)).catch(() => {})
    }, { policy: { handshakeMs: 0 } })
    await run.fails({ code: 'AUTH', status: 407 })
  })

  it('C060 each server is asked once, and the error tells of each', async () => {
    await using first = await startUpstream(variant, answer('HTTP/1.1 403 not here\r\n\r\n'))
    await using second = await startUpstream(variant, answer('HTTP/1.1 451 nor here\r\n\r\n'))
    const session = await Session.start(createOutbound({ servers: [serverOf(first), serverOf(second)] }), variant.dialer)
    const error = await session.refused([first, second])
    const server = `127.0.0.1:${second.port}`
    expect(error).toMatchObject({ code: 'STATUS', status: 451, server, attempts: [{ status: 403 }, { status: 451 }] })
    expect(error.message).toMatch(/Cannot reach target\.test:443: .*403 not here; .*451 nor here$/)
    expect([first.requests, second.requests]).toEqual([[requestFor()], [requestFor()]])
    expect(session.ctx.record).toMatchObject({ attempts: 2, server })
    session.close()
  })
})
