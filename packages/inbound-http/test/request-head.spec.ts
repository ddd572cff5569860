import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEAD_LIMITS, RequestHeadDecoder, valuesOf, type RequestHead } from '../src/request-head.js'
import { RequestRefusal } from '../src/request-refusal.js'

describe('RequestHeadDecoder', () => {
  it('reads method, target, version and fields, and leaves what follows', () => {
    const text = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nX:\t b  c \t\r\nx: d\r\nEmpty:\r\n\r\n\x16\x03rest\n'
    const result = new RequestHeadDecoder().push(Buffer.from(text))
    expect(result?.value).toEqual({
      method: 'CONNECT', target: 'a:443', version: '1.1', fields: [['Host', 'a:443'], ['X', 'b  c'], ['x', 'd'], ['Empty', '']],
    })
    expect(result?.rest.toString()).toBe('\x16\x03rest\n')
    expect(valuesOf(result?.value as RequestHead, 'x')).toEqual(['b  c', 'd'])
  })

  it.each([
    ['HTTP/1.0 without fields', 'CONNECT a:1 HTTP/1.0\r\n\r\n', { version: '1.0', fields: [] }],
    ['a later minor version as 1.1', 'CONNECT a:1 HTTP/1.7\r\n\r\n', { version: '1.1' }],
    ['the absolute form', 'GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n', { method: 'GET', target: 'http://a/b?c' }],
    ['one empty line before it', '\r\nCONNECT a:1 HTTP/1.1\r\n\r\n', { target: 'a:1' }],
    ['a value of bytes above ASCII', 'CONNECT a:1 HTTP/1.1\r\nA: \xc3\xbc\xa0\r\n\r\n', { fields: [['A', '\xc3\xbc\xa0']] }],
  ])('reads %s', (_, text, expected) => {
    expect(decode(text)).toMatchObject({ head: expected })
  })

  it.each([
    ['a bare LF after the request line', 'CONNECT a:1 HTTP/1.1\nHost: a\r\n\r\n'],
    ['a bare LF after a field', 'CONNECT a:1 HTTP/1.1\r\nHost: a\n\r\n'],
    ['a bare LF as the empty line', 'CONNECT a:1 HTTP/1.1\r\n\n'],
    ['a bare CR in the request line', 'CONNECT a:1\rX HTTP/1.1\r\n\r\n'],
    ['a bare CR in a value', 'CONNECT a:1 HTTP/1.1\r\nA: b\rc\r\n\r\n'],
    ['two CRs at the end of a line', 'CONNECT a:1 HTTP/1.1\r\nA: b\r\r\n\r\n'],
    ['NUL in the request line', 'CONNECT a\0:1 HTTP/1.1\r\n\r\n'],
    ['NUL in a value', 'CONNECT a:1 HTTP/1.1\r\nA: \0\r\n\r\n'],
    ['a vertical tab in a name', 'CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding\x0b: chunked\r\n\r\n'],
    ['a vertical tab in a value', 'CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n'],
    ['a folded line', 'CONNECT a:1 HTTP/1.1\r\nA: b\r\n c\r\n\r\n'],
    ['a space before the first field', 'CONNECT a:1 HTTP/1.1\r\n A: b\r\n\r\n'],
    ['a space before the colon', 'CONNECT a:1 HTTP/1.1\r\nContent-Length : 3\r\n\r\n'],
    ['a line without a colon', 'CONNECT a:1 HTTP/1.1\r\nhello\r\n\r\n'],
    ['an empty name', 'CONNECT a:1 HTTP/1.1\r\n: b\r\n\r\n'],
    ['two Host fields', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n'],
    ['two empty lines before it', '\r\n\r\nCONNECT a:1 HTTP/1.1\r\n\r\n'],
    ['two spaces in the request line', 'CONNECT  a:1 HTTP/1.1\r\n\r\n'],
    ['a tab in the request line', 'CONNECT\ta:1 HTTP/1.1\r\n\r\n'],
    ['a space in the target', 'CONNECT a:80 x HTTP/1.1\r\n\r\n'],
    ['a space at the end of the request line', 'CONNECT a:1 HTTP/1.1 \r\n\r\n'],
    ['a target beyond ASCII', 'CONNECT m\xc3\xbcnchen.de:1 HTTP/1.1\r\n\r\n'],
    ['a method that is no token', 'CONN@CT a:1 HTTP/1.1\r\n\r\n'],
    ['no version', 'GET /\r\n\r\n'],
    ['HTTP in lower case', 'CONNECT a:1 http/1.1\r\n\r\n'],
    ['a version of two digits', 'CONNECT a:1 HTTP/1.10\r\n\r\n'],
    ['a TLS record', '\x16\x03\x01\x02\x00'],
    ['a SOCKS5 greeting', '\x05\x01\x00'],
    ['a space at the start', ' CONNECT a:1 HTTP/1.1\r\n\r\n'],
  ])('refuses %s with 400', (_, text) => {
    expect(decode(text)).toMatchObject({ refused: 400 })
  })

  it.each([['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], ['HTTP/0.9', 'GET / HTTP/0.9\r\n\r\n']])('refuses %s with 505', (_, text) => {
    expect(decode(text)).toMatchObject({ refused: 505 })
  })

  it('T8 takes what is just within its limits and refuses one byte, or field, more', () => {
    const { maxLineBytes, maxHeadBytes, maxFields } = HEAD_LIMITS
    const start = 'CONNECT a:1 HTTP/1.1\r\n'
    const field = (bytes: number): string => `A: ${'x'.repeat(bytes - 4)}\r`
    expect(decode(`${start}${field(maxLineBytes)}\n\r\n`)).toHaveProperty('head')
    expect(decode(`${start}${field(maxLineBytes + 1)}`)).toMatchObject({ refused: 431 })
    expect(decode(`CONNECT ${'x'.repeat(maxLineBytes)}`)).toMatchObject({ refused: 414 })
    expect(decode(`${start}${'A: b\r\n'.repeat(maxFields)}\r\n`)).toHaveProperty('head')
    expect(decode(`${start}${'A: b\r\n'.repeat(maxFields + 1)}\r\n`)).toMatchObject({ refused: 431 })
    const lines = `${field(16_000)}\n`.repeat(4)
    const last = maxHeadBytes - start.length - lines.length - '\r\n\n'.length
    expect(decode(`${start}${lines}${field(last)}\n\r\n`)).toHaveProperty('head')
    expect(decode(`${start}${lines}${field(last + 1)}\n\r\n`)).toMatchObject({ refused: 431 })
  })

  it('T8 refuses a megabyte without a line end at the bound', () => {
    const decoder = new RequestHeadDecoder()
    let pushed = 0
    expect(() => {
      for (; pushed < 1_048_576; pushed += 1_024) decoder.push(Buffer.alloc(1_024, 'x'))
    }).toThrow(RequestRefusal)
    expect(pushed).toBeLessThanOrEqual(HEAD_LIMITS.maxLineBytes)
  })

  it.each([
    ['spaces in a value', ' '.repeat(16_000)], ['long values', 'x'.repeat(16_000)],
  ])('T13 reads %s byte by byte in linear time', (_, filler) => {
    const text = Buffer.from(`CONNECT a:1 HTTP/1.1\r\n${`A: ${filler}y\r\n`.repeat(4)}\r\n`)
    const decoder = new RequestHeadDecoder()
    const startedAt = performance.now()
    let head: unknown
    for (let at = 0; at < text.length; at++) head = decoder.push(text.subarray(at, at + 1))
    expect(head).toBeDefined()
    // Read again from the start with each byte, it would be minutes.
    expect(performance.now() - startedAt).toBeLessThan(500)
  })

  const piece = fc.oneof(
    fc.constantFrom(
      'CONNECT a:1 HTTP/1.1', '\r\n', '\r', '\n', '\r\n\r\n', 'Host: a', 'A:', ' ', '\t', '\0', ':', 'HTTP/2.0', 'x'.repeat(60),
    ),
    fc.string({ maxLength: 8 }),
  )
  const start = fc.constantFrom('', 'CONNECT a:1 HTTP/1.1\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n')
  const input = fc.tuple(start, fc.array(piece, { maxLength: 20 })).map(([first, rest]) => first + rest.join(''))

  it('comes to the same result whatever the chunks, and throws nothing but refusals', () => {
    fc.assert(fc.property(input, fc.array(fc.integer({ min: 1, max: 30 })), (text, sizes) => {
      const whole = decode(text)
      expect(decode(text, sizes)).toEqual(whole)
      expect(decode(text, Array(text.length).fill(1))).toEqual(whole)
    }), { numRuns: 1_000 })
  })

  it('comes to the same result within small limits too', () => {
    const limits = { maxLineBytes: 40, maxHeadBytes: 100, maxFields: 2 }
    fc.assert(fc.property(input, fc.array(fc.integer({ min: 1, max: 30 })), (text, sizes) => {
      expect(decode(text, sizes, limits)).toEqual(decode(text, [], limits))
    }), { numRuns: 1_000 })
  })

  it('reads back every head that it may be sent', () => {
    const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/)
    const value = fc.stringMatching(/^(?:[\x21-\x7e](?:[\x20-\x7e\t]{0,20}[\x21-\x7e])?)?$/)
    const fields = fc.array(fc.tuple(token.filter((name) => name.toLowerCase() !== 'host'), value), { maxLength: 10 })
    fc.assert(fc.property(token, fc.stringMatching(/^[\x21-\x7e]{1,40}$/), fields, (method, target, list) => {
      const text = `${method} ${target} HTTP/1.1\r\n${list.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`
      expect(decode(text)).toEqual({ head: { method, target, version: '1.1', fields: list }, rest: '' })
    }), { numRuns: 500 })
  })
})

/** Pushes latin1 text in chunks of these sizes, what is left as the last. */
function decode(text: string, sizes: readonly number[] = [], limits = HEAD_LIMITS): unknown {
  const decoder = new RequestHeadDecoder(limits)
  const all = Buffer.from(text, 'latin1')
  let at = 0
  try {
    for (const size of [...sizes, all.length]) {
      const result = decoder.push(all.subarray(at, at + size))
      at = Math.min(at + size, all.length)
      if (result !== undefined) return { head: result.value, rest: Buffer.concat([result.rest, all.subarray(at)]).toString('latin1') }
    }
    return 'incomplete'
  } catch (error) {
    expect(error).toBeInstanceOf(RequestRefusal)
    return { refused: (error as RequestRefusal).status, message: (error as Error).message }
  }
}
