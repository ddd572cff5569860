import { describe, expect, it } from 'vitest'
import { parseRetryAfter, refusalOf } from '../src/refusal.js'
import { ResponseHeadDecoder } from '../src/response-head.js'

function refusal(text: string, withCredentials = false): ReturnType<typeof refusalOf> {
  const decoded = new ResponseHeadDecoder('proxy.test:3128').push(Buffer.from(`${text}\r\n\r\n`, 'latin1'))
  if (decoded === undefined) throw new Error('no head')
  return refusalOf(decoded.value, 'proxy.test:3128', withCredentials)
}

describe('refusalOf()', () => {
  it('C050 says that credentials are wanted', () => {
    expect(refusal('HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm="a, b"')).toMatchObject({
      code: 'AUTH', status: 407, server: 'proxy.test:3128', message: expect.stringContaining('set "users"') as string,
    })
  })

  it('C051 says that credentials were refused', () => {
    expect(refusal('HTTP/1.1 407 x\r\nProxy-Authenticate: basic realm=a', true).message).toContain('refuses the user or password')
  })

  it('C054 names the schemes that are not supported', () => {
    const challenges = ['Negotiate, NTLM', 'Digest realm="x, Basic y", nonce="n"']
    const { message } = refusal(['HTTP/1.1 407 x', ...challenges.map((value) => `Proxy-Authenticate: ${value}`)].join('\r\n'))
    expect(message).toMatch(/unsupported scheme.*Negotiate, NTLM, Digest$/)
  })

  it('C056 takes 407 without a challenge and 401 as failures of authentication', () => {
    expect(refusal('HTTP/1.1 407 x').code).toBe('AUTH')
    expect(refusal('HTTP/1.0 401 x\r\nWWW-Authenticate: Basic realm="Tinyproxy"').code).toBe('AUTH')
  })

  it('C010 takes 101 as a breach of protocol', () => {
    expect(refusal('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x').code).toBe('PROTO')
  })

  it.each([300, 400, 403, 404, 405, 418, 421, 426, 451, 500, 502, 503, 504, 599])('C064 C065 keeps the number of a %d', (status) => {
    expect(refusal(`HTTP/1.1 ${status} why`)).toMatchObject({ code: 'STATUS', status })
  })

  it('C018 cleans and cuts the reason', () => {
    const { message } = refusal(`HTTP/1.1 403 \x1b[31mno\x9b${'x'.repeat(8_192)}`)
    expect(message).toMatch(/403 \?\[31mno\?x+…$/)
    expect(message.length).toBeLessThan(400)
  })
})

describe('parseRetryAfter()', () => {
  const now = Date.parse('2026-11-23T00:00:00Z')
  it.each([
    ['1', 1_000], ['99999', 30_000], ['0', undefined], ['-1', undefined], ['soon', undefined], ['1e3', undefined],
    ['Mon, 23 Nov 2026 00:00:05 GMT', 5_000], ['Sun, 22 Nov 2026 00:00:05 GMT', undefined], ['Mon, 23 Nov 2027 00:00:05 GMT', 30_000],
  ])('C062 reads %j as %j ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms)
  })
})
