import { ERROR_CODES, ProxyError, type ProxyErrorCode } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { formatFailure, formatRefusal } from '../src/answer.js'
import { RequestRefusal } from '../src/request-refusal.js'

describe('formatFailure()', () => {
  it.each(Object.entries({ ...ERROR_CODES }))('C180 answers %s with its status, in words', (code, { http }) => {
    const { status, fields, body } = parse(formatFailure(new ProxyError(code as ProxyErrorCode, 'Server 127.0.0.1:3128 did this')))
    expect(status).toBe(http)
    expect(body).toContain(`${code}: `)
    expect(fields).toMatchObject({ connection: 'close', 'content-type': 'text/plain; charset=utf-8' })
    expect(fields['proxy-status']).toMatch(/^sluice; /)
  })

  it('never passes an upstream\'s 407 on', () => {
    const { status, fields, body } = parse(formatFailure(
      new ProxyError('AUTH', 'Server 127.0.0.1:3128 refuses the user or password (407)', { server: '127.0.0.1:3128', status: 407 })))
    expect(status).toBe(502)
    expect(fields).not.toHaveProperty('proxy-authenticate')
    expect(fields['proxy-status']).toBe('sluice; received-status=407; details="Server 127.0.0.1:3128 refuses the user or password (407)"')
    expect(body.split('\n')).toEqual([
      'AUTH: Server 127.0.0.1:3128 refuses the user or password (407).',
      'Hint: check "users" of the server in the config of this proxy.',
      '',
    ])
  })

  it('lists what each attempt failed of, once each', () => {
    const attempts = [new ProxyError('DIAL', 'a refuses'), new ProxyError('DIAL', 'a refuses'), new ProxyError('TLS', 'b breaks off')]
    const { body } = parse(formatFailure(new ProxyError('TLS', 'Cannot reach c', { attempts })))
    expect(body).toMatch(/\n- DIAL: a refuses\n- TLS: b breaks off\n$/)
  })

  it('T14 cleans a message for body and field', () => {
    const { fields, body } = parse(formatFailure(new ProxyError('STATUS', 'a "b" \\ ü\r\nX: y\u202e', { status: 503 })))
    expect(fields['proxy-status']).toBe('sluice; received-status=503; details="a \\"b\\" \\\\ ???X: y?"')
    expect(body).toContain('a "b" \\ ü??X: y?.')
    expect(fields).not.toHaveProperty('x')
  })

  it('keeps what a bug threw to the log', () => {
    const answer = formatFailure(new TypeError('Cannot read properties of secret'))
    expect(parse(answer).status).toBe(500)
    expect(answer).not.toContain('secret')
  })
})

describe('formatRefusal()', () => {
  it('challenges with a 407 only', () => {
    const challenge = { 'proxy-authenticate': 'Basic realm="sluice", charset="UTF-8"' }
    expect(parse(formatRefusal(new RequestRefusal(407, 'AUTH', 'No'))).fields).toMatchObject(challenge)
    expect(parse(formatRefusal(new RequestRefusal(400, 'PROTO', 'No'))).fields).not.toHaveProperty('proxy-authenticate')
  })
})

/** Takes an answer apart, and checks that its length is right. */
function parse(answer: string): { status: number, fields: Record<string, string>, body: string } {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  expect(statusLine).toMatch(/^HTTP\/1\.1 \d{3} [A-Z]/)
  const fields = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)]
  }))
  expect(Number(fields['content-length'])).toBe(Buffer.byteLength(body))
  return { status: Number(statusLine.split(' ')[1]), fields, body }
}
