import { answerTo, ERROR_CODES, ProxyError, type ProxyErrorCode } from '@sluice/core'
import { leakCounter, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { formatFailure } from '../../src/answer.js'
import { clientOn, connectTo, peek, serveHttp2 } from './served-http2.js'

const ACCOUNTS = { accounts: [{ user: 'me', pass: 'pw' }] }
const ME = { 'proxy-authorization': 'Basic bWU6cHc=' }

describe('HttpInbound over HTTP/2', () => {
  it('P24 C180 dispatches a CONNECT to its target, and answers 200 only when the link is opened', async () => {
    await using served = await serveHttp2()
    const tunnel = connectTo(clientOn(served), '[2001:db8::1]:8443')
    const { request, link, echo } = await served.session()
    expect(request).toEqual({ target: { network: 'tcp', host: '2001:db8::1', port: 8443 } })
    expect(link.reader).toBe(link.writer)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(tunnel.answer).toBeUndefined()
    echo()
    link.open()
    expect(await tunnel.answered()).toMatchObject({ ':status': 200 })
    tunnel.stream.write('hello')
    await tunnel.receives('hello')
  })

  it('C182 keeps what the client sends ahead, and reads none of it before the link is opened', async () => {
    await using served = await serveHttp2()
    const tunnel = connectTo(clientOn(served))
    tunnel.stream.write('early')
    const { link, echo } = await served.session()
    await until(() => link.reader.readableLength > 0, 'the early bytes')
    expect(link.reader.readableLength).toBe(5)
    echo()
    tunnel.stream.write(' and late')
    await tunnel.receives('early and late')
  })

  it('C153 carries 200 tunnels at once over one connection, byte by byte', async () => {
    await using served = await serveHttp2()
    const client = clientOn(served)
    const texts = Array.from({ length: 200 }, (_, index) => `${index}.`.repeat(5_000))
    const tunnels = texts.map((text, index) => {
      const tunnel = connectTo(client, `target-${index}.test:443`)
      tunnel.stream.end(text)
      return tunnel
    })
    for (const index of texts.keys()) (await served.session(index)).echo()
    await until(() => tunnels.every(({ closed }) => closed), 'all tunnels to end', 10_000)
    expect(tunnels.filter(({ ended, received }, index) => !ended || received !== texts[index])).toEqual([])
    expect(served.sessions.map(({ request }) => request.target.host)).toEqual(texts.map((_, index) => `target-${index}.test`))
  })

  it('P26 passes END_STREAM on either way, and the other way goes on', async () => {
    await using served = await serveHttp2()
    const client = clientOn(served)
    const [asking, listening] = [connectTo(client), connectTo(client)]
    const first = await served.session(0)
    first.link.open()
    asking.stream.end('question')
    await new Promise((resolve) => first.link.reader.once('end', resolve).resume())
    first.link.writer.end('late answer')
    await until(() => asking.closed, 'the stream to close')
    expect(asking).toMatchObject({ received: 'late answer', ended: true })

    const second = await served.session(1)
    second.link.open()
    second.link.writer.end('banner')
    await until(() => listening.ended, 'the end of the target')
    let uplink = ''
    second.link.reader.on('data', (chunk: Buffer) => { uplink += chunk.toString() })
    listening.stream.end('words behind it')
    await until(() => listening.closed && uplink === 'words behind it', () => `all that the client sent: "${uplink}"`)
  })

  it.each(['', 'target.test', 'target.test:0', 'target.test:65536', 'a@target.test:1', 'exa mple:1', '[::1'])(
    'C162 refuses ":authority" %j with 400, and the session lives', async (authority) => {
      await using served = await serveHttp2()
      const client = clientOn(served)
      const refused = connectTo(client, authority)
      // An empty or malformed one may be refused below us already.
      await until(() => refused.closed, 'the stream to close')
      if (refused.answer === undefined) expect(refused.stream.rstCode).toBe(1)
      else expect(refused.answer).toMatchObject({ ':status': 400, 'content-type': 'text/plain; charset=utf-8' })
      expect(served.sessions).toHaveLength(0)
      const tunnel = connectTo(client)
      ;(await served.session()).echo()
      expect(await tunnel.answered()).toMatchObject({ ':status': 200 })
    })

  it('C117 T2 answers 407 with a challenge to who has no account, and lets the others of the session be', async () => {
    await using served = await serveHttp2(ACCOUNTS, {})
    const client = clientOn(served)
    const good = connectTo(client, 'target.test:443', ME)
    const session = await served.session()
    session.echo()
    expect(session.request.user).toEqual({ name: 'me', level: 0 })
    await good.answered()
    for (const fields of [{}, { 'proxy-authorization': 'Basic bWU6bm8=' }] as Record<string, string>[]) {
      const bad = connectTo(client, 'target.test:443', fields)
      bad.stream.write('payload that nobody wants')
      expect(await bad.answered()).toMatchObject({ ':status': 407, 'proxy-authenticate': 'Basic realm="sluice", charset="UTF-8"' })
      await until(() => bad.closed, 'the stream to close')
      expect(bad.received).toMatch(/^AUTH: [^]*\nHint: /)
      expect(bad.stream.rstCode).toBe(0)
    }
    good.stream.write('still here')
    await good.receives('still here')
    expect(served.sessions).toHaveLength(1)
    expect(served.log.filter(({ message }) => message.includes('turned 127.0.0.1:')).map(({ level }) => level)).toEqual(['info', 'info'])
  })

  it.each(Object.keys(ERROR_CODES) as ProxyErrorCode[])('C180 answers %s as it does over HTTP/1.1, in the stream alone', async (code) => {
    await using served = await serveHttp2()
    const client = clientOn(served)
    const [failing, open] = [connectTo(client), connectTo(client)]
    const error = new ProxyError(code, 'Server 127.0.0.1:3128 did this', { attempts: [new ProxyError('DIAL', 'refused')] })
    ;(await served.session(1)).echo()
    ;(await served.session(0)).fail(error)
    const answer = await failing.answered()
    const [head = '', body] = formatFailure(error).split('\r\n\r\n')
    expect(answer[':status']).toBe(answerTo(error).http)
    expect(head).toContain(`\r\nProxy-Status: ${String(answer['proxy-status'])}\r\n`)
    await until(() => failing.closed, 'the stream to close')
    expect(failing.received).toBe(body)
    open.stream.write('unharmed')
    await open.receives('unharmed')
  })

  it.each(['GET', 'POST', 'HEAD'])('answers 501 to %s: plain requests are served over HTTP/1.1 only', async (method) => {
    await using served = await serveHttp2()
    const client = clientOn(served)
    const fields = { ':method': method, ':scheme': 'http', ':authority': 'target.test', ':path': '/' }
    const stream = client.request(fields, { endStream: method !== 'POST' })
    let body = ''
    const answer = new Promise((resolve) => stream.once('response', resolve))
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.setEncoding('utf8').on('data', (text: string) => { body += text })
    expect(await answer).toMatchObject({ ':status': 501 })
    await closed
    if (method === 'HEAD') expect(body).toBe('')
    else expect(body).toMatch(/^UNSUPPORTED: [^]*use CONNECT, or HTTP\/1\.1/)
    expect(served.sessions).toHaveLength(0)
  })

  it('T2 hears no log-in any more after ten wrong ones, which fit into one connection', async () => {
    await using served = await serveHttp2(ACCOUNTS)
    const client = clientOn(served)
    const statusOf = async (pass: string): Promise<unknown> => {
      const fields = { 'proxy-authorization': `Basic ${btoa(`me:${pass}`)}` }
      return (await connectTo(client, 'target.test:443', fields).answered())[':status']
    }
    const guesses = await Promise.all(Array.from({ length: 10 }, (_, index) => statusOf(`guess ${index}`)))
    expect(new Set(guesses)).toEqual(new Set([407]))
    expect([await statusOf('guess'), await statusOf('pw')]).toEqual([429, 429])
    expect(served.sessions).toHaveLength(0)
  })

  it('refuses a CONNECT that announces content', async () => {
    await using served = await serveHttp2()
    const tunnel = connectTo(clientOn(served), 'target.test:443', { 'content-length': '5' })
    expect(await tunnel.answered()).toMatchObject({ ':status': 400 })
  })

  it('serves bytes that somebody looked at before and put back, as a shared port does', async () => {
    await using served = await serveHttp2({}, {}, peek)
    const tunnel = connectTo(clientOn(served))
    ;(await served.session()).echo()
    expect(await tunnel.answered()).toMatchObject({ ':status': 200 })
  })

  it('leaves no socket or timer behind', async () => {
    const counter = leakCounter()
    {
      await using served = await serveHttp2(ACCOUNTS)
      const client = clientOn(served)
      const tunnels = [connectTo(client, 'target.test:443', ME), connectTo(client), connectTo(client, 'nonsense', ME)]
      ;(await served.session()).echo()
      await Promise.all(tunnels.map((tunnel) => tunnel.answered()))
    }
    await counter.expectNoLeaks()
  })
})
