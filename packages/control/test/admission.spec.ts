import { ConfigError, createInstance, isConfigError, type Fault } from '@sluice/core'
import { connectTo, Peer, until } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { describe, expect, it } from 'vitest'
import { controlFeature, type ControlSettings } from '../src/index.js'
import { watched, type Watched } from './watched.js'

const SECRET = 'a-long-secret'

/** Without inbounds and outbounds an instance is made faster. */
const alone = (control: ControlSettings = {}): Promise<Watched> =>
  watched({ control: { listen: '127.0.0.1:0', ...control }, inbounds: [], outbounds: [] })
const guarded = (): Promise<Watched> => alone({ secret: SECRET })

/** The status of the answer to these lines of a head. */
async function status({ controlPort }: Watched, ...lines: readonly string[]): Promise<number> {
  const peer = new Peer(await connectTo(controlPort))
  await peer.send(`${lines.join('\r\n')}\r\n\r\n`)
  const head = await peer.expectHead()
  return Number(head.split(' ')[1])
}

describe('a control interface without a secret', () => {
  it.each(['localhost', 'localhost:9090', 'LOCALHOST', '127.0.0.1', '127.0.0.1:9090', '[::1]:9090', '[::1]', '192.0.2.1:1'])(
    'hears requests for Host %s', async (host) => {
      await using all = await alone()
      expect(await status(all, 'GET /version HTTP/1.1', `Host: ${host}`)).toBe(200)
    },
  )

  it.each(['evil.example', 'evil.example:9090', 'localhost.evil.example', '127.0.0.1.nip.io:9090', '', '[evil]', '1', '127.1'])(
    'refuses a name that was made to point to it: Host %s', async (host) => {
      await using all = await alone()
      expect(await status(all, 'GET /version HTTP/1.1', `Host: ${host}`)).toBe(403)
    },
  )

  it.each(['http://evil.example', 'null', 'https://127.0.0.1:9090', 'http://127.0.0.1:9091'])('refuses pages of %s', async (origin) => {
    await using all = await alone()
    expect(await status(all, 'POST /reload HTTP/1.1', 'Host: 127.0.0.1:9090', `Origin: ${origin}`)).toBe(403)
  })

  it.each([['cross-site', 403], ['same-site', 403], ['same-origin', 200], ['none', 200]])(
    'answers images and links of a page that is %s with %i', async (site, expected) => {
      await using all = await alone()
      expect(await status(all, 'GET /version HTTP/1.1', 'Host: 127.0.0.1', `Sec-Fetch-Site: ${site}`)).toBe(expected)
    },
  )

  it('lets no page read across origins', async () => {
    await using all = await alone()
    const { headers } = await all.ask('/version')
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('refuses a request without Host', async () => {
    await using all = await alone()
    expect(await status(all, 'GET /version HTTP/1.1')).toBe(400)
    expect(await status(all, 'GET /version HTTP/1.0')).toBe(403)
  })
})

describe('a control interface with a secret', () => {
  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })

  it('hears who knows it, under any Host', async () => {
    await using all = await guarded()
    expect((await all.ask('/metrics', bearer(SECRET))).status).toBe(200)
    expect(await status(all, 'GET /version HTTP/1.1', 'Host: proxy.example', `Authorization: bearer ${SECRET}`)).toBe(200)
  })

  it.each(['', 'a-long-secre', 'a-long-secret2', 'A-LONG-SECRET'])('refuses the secret %j', async (token) => {
    await using all = await guarded()
    const answer = await all.ask('/metrics', bearer(token))
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })

  it.each(['/metrics', '/version', '/nothing'])('tells nobody else anything, %s neither', async (path) => {
    await using all = await guarded()
    expect((await all.ask(path)).status).toBe(401)
  })

  it('refuses who guesses, the right secret too, and logs that once without any of them', async () => {
    await using all = await guarded()
    for (let index = 0; index < 10; index++) expect((await all.ask('/version', bearer(`wrong-guess-${index}`))).status).toBe(401)
    for (const token of ['wrong-guess', SECRET]) expect((await all.ask('/version', bearer(token))).status).toBe(429)
    const told = all.logged.filter(({ level }) => level === 'warning').map(({ message }) => message)
    expect(told).toEqual(['Too many wrong secrets at the control interface from 127.0.0.1'])
  })

  it('shows it nowhere', async () => {
    await using all = await guarded()
    const answers = await Promise.all(['/metrics', '/stats', '/connections', '/health', '/version'].map(async (path) =>
      (await all.ask(path, bearer(SECRET))).text()))
    expect(JSON.stringify([answers, all.logged.map(({ message }) => message)])).not.toContain(SECRET)
  })
})

describe('what the control interface takes in', () => {
  it('is no body', async () => {
    await using all = await alone()
    expect((await all.ask('/reload', { method: 'POST', body: 'x' })).status).toBe(413)
    expect(await status(all, 'POST /reload HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked', '', '0')).toBe(413)
    expect(await status(all, 'POST /reload HTTP/1.1', 'Host: localhost', 'Content-Length: 0')).toBe(501)
  })

  it('is a head of 8 KiB at most', async () => {
    await using all = await alone()
    expect(await status(all, 'GET /version HTTP/1.1', 'Host: localhost', `X: ${'x'.repeat(9_000)}`)).toBe(431)
  })

  it('is HTTP, and one request for each connection', async () => {
    await using all = await alone()
    expect(await status(all, 'what is this')).toBe(400)
    const peer = new Peer(await connectTo(all.controlPort))
    await peer.send('GET /version HTTP/1.1\r\nHost: localhost\r\n\r\nGET /version HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until(() => peer.ended, 'the end of the answer')
    expect(peer.received.toString().match(/HTTP\/1.1 200/g)).toHaveLength(1)
  })

  it('is 64 connections at once', async () => {
    await using all = await alone()
    const idle = await Promise.all(Array.from({ length: 64 }, async () => new Peer(await connectTo(all.controlPort))))
    const more = new Peer(await connectTo(all.controlPort))
    await more.expectEnd()
    idle[0]?.reset()
    await until(() => idle[0]?.socket.destroyed === true, 'the reset')
    await expect.poll(() => all.ask('/version').then(({ status }) => status, () => 0), { timeout: 2_000 }).toBe(200)
  })
})

describe('the section control', () => {
  function faultsOf(control: ControlSettings): readonly Fault[] {
    try {
      return createInstance({ control }, { modules: [transport, controlFeature] }).remarks
    } catch (error) {
      if (!isConfigError(error)) throw error
      return error.faults
    }
  }

  it.each(['127.0.0.1:0', 'localhost:9090', '[::1]:9090', '127.8.9.1:65535'])('takes %s as it is', (listen) => {
    expect(faultsOf({ listen })).toEqual([])
  })

  it.each(['0.0.0.0:9090', '[::]:9090', '192.0.2.1:9090', '[fe80::1]:1', '[::ffff:127.0.0.1]:1'])('refuses %s without a secret', (listen) => {
    expect(faultsOf({ listen })).toMatchObject([{ path: 'control.listen', severity: 'error' }])
    expect(faultsOf({ listen, secret: SECRET })).toMatchObject([{ path: 'control.listen', severity: 'warning' }])
  })

  it.each(['', '9090', ':9090', '127.0.0.1', '127.0.0.1:70000', '127.0.0.1:01', 'example.com:9090', '::1:9090', '[::1]'])(
    'refuses %j, which is no address and port', (listen) => {
      expect(faultsOf({ listen, secret: SECRET })).toMatchObject([{ path: 'control.listen', severity: 'error' }])
    },
  )

  it.each(['', 'short', 'with a blank in it', 'not-ascii-ä-here'])('refuses the secret %j and does not repeat it', (secret) => {
    const faults = faultsOf({ secret })
    expect(faults).toMatchObject([{ path: 'control.secret', severity: 'error' }])
    if (secret !== '') expect(new ConfigError(faults).message).not.toContain(secret)
  })

  it('cannot listen where somebody else does', async () => {
    await using all = await alone()
    await expect(alone({ listen: `127.0.0.1:${all.controlPort}` })).rejects.toThrow(/Cannot listen on 127\.0\.0\.1:/)
  })
})
