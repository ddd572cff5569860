import { scriptedUpstream, until, type ScriptedUpstream } from '@sluice/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Proxied, takeRequest } from './proxied.js'

const SECOND = 'GET /second HTTP/1.1\r\nHost: x\r\n\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const OK = 200

let proxied: Proxied
let target: ScriptedUpstream
beforeAll(async () => {
  target = await scriptedUpstream(async (peer) => {
    try {
      await takeRequest(peer)
      await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      await peer.expectEnd()
      await peer.fin()
    } catch {
      // What it received is looked at in the test.
    }
  })
  proxied = await Proxied.start()
})
afterAll(async () => {
  await proxied[Symbol.asyncDispose]()
  await target.close()
})

/** Sends these bytes and an end; `T` stands for the target. What the client was answered, and all that came to targets. */
async function pass(sent: string): Promise<{ statuses: number[], received: string[] }> {
  const before = target.peers.length
  const authority = `127.0.0.1:${target.port}`
  const answer = await proxied.answerTo(Buffer.from(sent.replaceAll('//T', `//${authority}`), 'latin1'))
  await until(() => proxied.instance.connections().length === 0, 'the sessions to end')
  return {
    statuses: [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status)),
    received: target.peers.slice(before).map(({ received }) => received.toString('latin1').replaceAll(authority, 'T'))
      .filter((text) => text !== ''),
  }
}

function post(fields: string, body: string): string {
  return `POST http://T/ HTTP/1.1\r\nHost: T\r\n${fields}\r\n${body}`
}

function get(url: string, fields = 'Host: T\r\n'): string {
  return `GET ${url} HTTP/1.1\r\n${fields}\r\n`
}

const EMPTY = '0\r\n\r\n'
const HELLO = '5\r\nhello\r\n0\r\n\r\n'
const SENT_HELLO = 'POST / HTTP/1.1\r\nHost: T\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello'
const SENT_CHUNKS = `POST / HTTP/1.1\r\nHost: T\r\n${CHUNKED}Connection: close\r\n\r\n${HELLO}`
const SENT_EMPTY_CHUNKS = `POST / HTTP/1.1\r\nHost: T\r\n${CHUNKED}Connection: close\r\n\r\n${EMPTY}`
const SENT_GET = 'GET / HTTP/1.1\r\nHost: T\r\nConnection: close\r\n\r\n'

describe('T7 HttpInbound and requests that two readers may read in two ways', () => {
  it.each<[string, string, number]>([
    ['CL.TE', post(`Content-Length: 6\r\n${CHUNKED}`, '0\r\n\r\nG'), 400],
    ['TE.CL', post(`${CHUNKED}Content-Length: 4\r\n`, `1c\r\n${SECOND}\r\n0\r\n\r\n`), 400],
    ['CL.TE with a second request', post(`Content-Length: ${EMPTY.length + SECOND.length}\r\n${CHUNKED}`, EMPTY + SECOND), 400],
    ['two equal lengths', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), 400],
    ['two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello1'), 400],
    ['a list of lengths', post('Content-Length: 5, 5\r\n', 'hello'), 400],
    ['a length with a plus', post('Content-Length: +5\r\n', 'hello'), 400],
    ['a length below 0', post('Content-Length: -1\r\n', 'hello'), 400],
    ['a hexadecimal length', post('Content-Length: 0x5\r\n', 'hello'), 400],
    ['a length of two words', post('Content-Length: 5 5\r\n', 'hello'), 400],
    ['an empty length', post('Content-Length: \r\n', 'hello'), 400],
    ['a length beyond 64 bits', post('Content-Length: 99999999999999999999\r\n', 'hello'), 400],
    ['a space before the colon of the length', post('Content-Length : 5\r\n', 'hello'), 400],
    ['a tab before the colon of the length', post('Content-Length\t: 5\r\n', 'hello'), 400],
    ['a space before the first field', post(' Content-Length: 5\r\n', 'hello'), 400],
    ['a length in a folded line', post('X: y\r\n Content-Length: 5\r\n', 'hello'), 400],
    ['TE: xchunked', post('Transfer-Encoding: xchunked\r\n', EMPTY), 400],
    ['TE: chunked, identity', post('Transfer-Encoding: chunked, identity\r\n', EMPTY), 400],
    ['TE: identity, chunked', post('Transfer-Encoding: identity, chunked\r\n', EMPTY), 501],
    ['TE: gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', EMPTY), 501],
    ['TE: identity', post('Transfer-Encoding: identity\r\n', 'hello'), 400],
    ['TE twice', post(CHUNKED + CHUNKED, EMPTY), 400],
    ['TE: chunked, then TE: identity', post(`${CHUNKED}Transfer-Encoding: identity\r\n`, EMPTY), 400],
    ['TE: identity, then TE: chunked', post(`Transfer-Encoding: identity\r\n${CHUNKED}`, EMPTY), 501],
    ['TE in quotes', post('Transfer-Encoding: "chunked"\r\n', EMPTY), 400],
    ['TE behind a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', EMPTY), 400],
    ['TE before a vertical tab', post('Transfer-Encoding: chunked\x0b\r\n', EMPTY), 400],
    ['TE behind a form feed', post('Transfer-Encoding:\x0c chunked\r\n', EMPTY), 400],
    ['a space before the colon of TE', post('Transfer-Encoding : chunked\r\n', EMPTY), 400],
    ['a line end before the colon of TE', post('Transfer-Encoding\r\n: chunked\r\n', EMPTY), 400],
    ['TE in a folded line', post('Transfer-Encoding:\r\n chunked\r\n', EMPTY), 400],
    ['NUL in the name of TE', post('Transfer\0-Encoding: chunked\r\n', EMPTY), 400],
    ['TE behind a bare CR', post(`X: y\r${CHUNKED}`, EMPTY), 400],
    ['TE behind a bare LF', post(`X: y\n${CHUNKED}`, EMPTY), 400],
    ['TE before a bare LF', post('Transfer-Encoding: chunked\n', EMPTY), 400],
    ['lines that end in LF', 'POST http://T/ HTTP/1.1\nHost: T\nContent-Length: 5\n\nhello', 400],
    ['TE over HTTP/1.0', `POST http://T/ HTTP/1.0\r\nHost: T\r\n${CHUNKED}\r\n${HELLO}`, 400],
    ['chunks that end in LF', post(CHUNKED, '5\nhello\n0\n\n'), 400],
    ['a chunk extension with LF', post(CHUNKED, '5;a\nhello\r\n0\r\n\r\n'), 400],
    ['a chunk size before a space', post(CHUNKED, '5 \r\nhello\r\n0\r\n\r\n'), 400],
    ['a chunk size with a plus', post(CHUNKED, '+5\r\nhello\r\n0\r\n\r\n'), 400],
    ['a chunk size with 0x', post(CHUNKED, '0x5\r\nhello\r\n0\r\n\r\n'), 400],
    ['a chunk size beyond 64 bits', post(CHUNKED, 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'), 400],
    ['a chunk that is longer than its size', post(CHUNKED, '5\r\nhelloX\r\n0\r\n\r\n'), 400],
    ['a chunk without a line end', post(CHUNKED, '5\r\nhello0\r\n\r\n'), 400],
    ['a length in a trailer', post(CHUNKED, '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'), 400],
    ['two Host fields', get('http://T/', 'Host: a\r\nHost: T\r\n'), 400],
    ['no Host field', get('http://T/', ''), 400],
    ['a user in the target', get('http://a@T/'), 400],
    ['a user that looks like the host', get('http://T@x/'), 400],
    ['a backslash in the target', get('http://T\\@x/'), 400],
    ['a fragment', get('http://T/#f'), 400],
    ['a space in the target', get('http://T/a b'), 400],
    ['a tab in the target', get('http://T/a\tb'), 400],
    ['DEL in the target', get('http://T/\x7f'), 400],
    ['a byte beyond ASCII in the target', get('http://T/\xff'), 400],
    ['a host beyond ASCII', get('http://m\xfcnchen.de/'), 400],
    ['an escape in the host', get('http://T%2e/'), 400],
    ['an empty host', get('http:///x'), 400],
    ['port 0', get('http://a:0/'), 400],
    ['an octal port', get('http://a:080/'), 400],
    ['an IPv6 address with a zone', get('http://[fe80::1%25lo]/'), 400],
    ['no slashes', get('http:T/'), 400],
    ['authority-form', get('T:80'), 400],
    ['authority-form behind an empty line', `\r\n${get('T:80')}`, 400],
    ['origin-form', get('/'), 400],
    ['a space behind the version', 'GET http://T/ HTTP/1.1 \r\nHost: T\r\n\r\n', 400],
    ['no version', 'GET http://T/\r\nHost: T\r\n\r\n', 505],
    ['HTTP/2 in the form of HTTP/1', 'GET http://T/ HTTP/2.0\r\nHost: T\r\n\r\n', 505],
    ['an unknown minor version', 'GET http://T/ HTTP/1.2\r\nHost: T\r\n\r\n', 400],
    ['an unknown method', 'FOO http://T/ HTTP/1.1\r\nHost: T\r\n\r\n', 501],
    ['a method in lower case', 'get http://T/ HTTP/1.1\r\nHost: T\r\n\r\n', 501],
    ['CONNECT in lower case', 'connect T:80 HTTP/1.1\r\nHost: T\r\n\r\n', 501],
    ['NUL in a value', get('http://T/', 'Host: T\r\nX: a\0b\r\n'), 400],
    ['a name beyond ASCII', get('http://T/', 'Host: T\r\nX\xff: b\r\n'), 400],
    ['an empty name', get('http://T/', 'Host: T\r\n: b\r\n'), 400],
    ['a line without a colon', get('http://T/', 'Host: T\r\nhello\r\n'), 400],
    ['two empty lines before the request', `\r\n\r\n${get('http://T/')}`, 400],
  ])('passes nothing on of %s', async (_, sent, status) => {
    expect(await pass(sent)).toEqual({ statuses: [status], received: [] })
  })

  it.each<[string, string]>([
    ['a request behind it', post('Content-Length: 5, 5\r\n', `hello${get('http://T/')}`)],
    ['a request within its body', post(`Content-Length: 6\r\n${CHUNKED}`, `${EMPTY}${get('http://T/')}`)],
    ['a request behind one without a target', get('/') + get('http://T/')],
    ['a request behind one of an unknown scheme', get('ftp://T/') + get('http://T/')],
  ])('looks at nothing behind a request that it refused: %s', async (_, sent) => {
    const { statuses, received } = await pass(sent)
    expect(statuses).toHaveLength(1)
    expect(received).toEqual([])
  })

  it.each<[string, string, string]>([
    ['a length', post('Content-Length: 5\r\n', 'hello'), SENT_HELLO],
    ['a length with a zero before it', post('Content-Length: 05\r\n', 'hello'), SENT_HELLO],
    ['chunks', post(CHUNKED, HELLO), SENT_CHUNKS],
    ['TE in capitals', post('TRANSFER-ENCODING: CHUNKED\r\n', HELLO), SENT_CHUNKS],
    ['TE with white space around it', post('Transfer-Encoding: \tchunked \r\n', EMPTY), SENT_EMPTY_CHUNKS],
    ['a chunk extension', post(CHUNKED, '5;a=b\r\nhello\r\n0\r\n\r\n'), SENT_CHUNKS],
    ['a trailer', post(CHUNKED, '5\r\nhello\r\n0\r\nA: b\r\n\r\n'), SENT_CHUNKS],
    ['a length that Connection names', post('Connection: content-length\r\nContent-Length: 5\r\n', 'hello'), SENT_HELLO],
    ['TE that Connection names', post(`Connection: transfer-encoding\r\n${CHUNKED}`, HELLO), SENT_CHUNKS],
    ['a Host that Connection names', get('http://T/', 'Host: T\r\nConnection: host\r\n'), SENT_GET],
    ['another Host', get('http://T/', 'Host: other\r\n'), SENT_GET],
    ['an empty line before it', `\r\n${get('http://T/')}`, SENT_GET],
    ['a wish for HTTP/2 that has content',
      post(`Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: x\r\n${CHUNKED}`, HELLO), SENT_CHUNKS],
    ['a wish for WebSocket that has content',
      post('Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 5\r\n', 'hello'), SENT_HELLO],
    [
      'a GET whose content is a request',
      `${get('http://T/', `Host: T\r\nConnection: content-length\r\nContent-Length: ${SECOND.length}\r\n`)}${SECOND}`,
      `GET / HTTP/1.1\r\nHost: T\r\nContent-Length: ${SECOND.length}\r\nConnection: close\r\n\r\n${SECOND}`,
    ],
  ])('passes exactly one request on that has %s', async (_, sent, expected) => {
    expect(await pass(sent)).toEqual({ statuses: [OK], received: [expected] })
  })

  it('gives what follows a request a session of its own, and reads it as strictly', async () => {
    expect(await pass(get('http://T/') + get('http://T/2'))).toEqual({
      statuses: [OK, OK], received: [SENT_GET, SENT_GET.replace('/ ', '/2 ')],
    })
    expect(await pass(get('http://T/') + SECOND)).toEqual({ statuses: [OK, 400], received: [SENT_GET] })
    expect(await pass(`${get('http://T/')}G\0`)).toEqual({ statuses: [OK, 501], received: [SENT_GET] })
  })

  it.each([
    ['chunks', post(CHUNKED, '5\r\nhello\r\n')],
    ['the end of the chunks', post(CHUNKED, '5\r\nhello\r\n0\r\n\r')],
    ['a length', post('Content-Length: 10\r\n', 'hello')],
  ])('cuts a request short that its client cut short in %s', async (_, sent) => {
    const { statuses, received } = await pass(sent)
    expect(statuses).toEqual([400])
    for (const text of received) expect(text).not.toMatch(/hello$|0\r\n\r\n$/)
  })
})
