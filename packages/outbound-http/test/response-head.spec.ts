import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ProxyError } from '@sluice/core'
import { HEAD_LIMITS, ResponseHeadDecoder, type ResponseHead } from '../src/response-head.js'

interface Outcome {
  readonly status?: number
  readonly reason?: string
  readonly fields?: unknown
  readonly rest?: string
  readonly code?: string
}

/** Reads a head from chunks; what comes behind it is collected as the tunnel's. */
function read(chunks: readonly Buffer[]): Outcome {
  const decoder = new ResponseHeadDecoder('proxy.test:3128')
  let head: ResponseHead | undefined
  const rest: Buffer[] = []
  try {
    for (const chunk of chunks) {
      if (head !== undefined) {
        rest.push(chunk)
        continue
      }
      const decoded = decoder.push(chunk)
      if (decoded === undefined) continue
      head = decoded.value
      rest.push(decoded.rest)
    }
  } catch (error) {
    return { code: (error as ProxyError).code }
  }
  if (head === undefined) return {}
  return { status: head.status, reason: head.reason, fields: [...head.fields], rest: Buffer.concat(rest).toString('latin1') }
}

const whole = (text: string): Outcome => read([Buffer.from(text, 'latin1')])
const bytewise = (text: string): Outcome => read([...Buffer.from(text, 'latin1')].map((byte) => Buffer.from([byte])))

/** Each text is read whole and byte by byte. */
function expectBoth(text: string, expected: Outcome): void {
  expect(whole(text)).toMatchObject(expected)
  expect(bytewise(text)).toMatchObject(expected)
}

describe('ResponseHeadDecoder', () => {
  it('C001 reads a status line without fields', () => {
    expectBoth('HTTP/1.1 200 Connection established\r\n\r\n', { status: 200, reason: 'Connection established', rest: '' })
  })

  it.each([201, 202, 204, 299])('C003 keeps the bytes behind a %d', (status) => {
    expectBoth(`HTTP/1.1 ${status} x\r\n\r\nSSH-2.0\r\n`, { status, rest: 'SSH-2.0\r\n' })
  })

  it('C005 gives framing fields no meaning', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'
    expectBoth(`${head}TUNNELBYTES`, { status: 200, rest: 'TUNNELBYTES' })
  })

  it('reads an empty and an absent reason (RFC 9112 §4)', () => {
    expectBoth('HTTP/1.1 200 \r\n\r\n', { status: 200, reason: '' })
    expectBoth('HTTP/1.1 200\r\n\r\n', { status: 200, reason: '' })
  })

  it('C004 reads HTTP/1.0', () => {
    expectBoth('HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n', { status: 200, fields: [['proxy-agent', ['x']]] })
  })

  it('C019 takes a bare LF as a line end', () => {
    expectBoth('HTTP/1.1 200 OK\nA: b\n\nT', { status: 200, fields: [['a', ['b']]], rest: 'T' })
  })

  it('C021 joins a folded field with one space', () => {
    expectBoth('HTTP/1.1 200 OK\r\nA: b\r\n  c\r\n\td\r\n\r\n', { fields: [['a', ['b c d']]] })
  })

  it.each(['A: b\0c', 'A: b\rc'])('C022 refuses a NUL or a bare CR in a value', (line) => {
    expectBoth(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n`, { code: 'PROTO' })
  })

  it('C022 refuses a NUL in the status line', () => {
    expectBoth('HTTP/1.1 200 O\0K\r\n\r\n', { code: 'PROTO' })
  })

  it.each(['A : b', 'no colon', ': x', ' A: b'])('C024 refuses %j as the first field', (line) => {
    expectBoth(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n`, { code: 'PROTO' })
  })

  it.each([
    '<html><h1>400</h1></html>', 'http/1.1 200 OK\r\n', 'ICY 200 OK\r\n', '\r\nHTTP/1.1 200 OK\r\n',
  ])('C026 refuses %j at its first wrong byte', (text) => {
    expectBoth(text, { code: 'PROTO' })
  })

  it.each([
    'HTTP/2.0 200 OK', 'HTTP/1.1 099 x', 'HTTP/1.1 600 x', 'HTTP/1.1 20 x', 'HTTP/1.1  200 x', 'HTTP/1.1 2000',
  ])('refuses the status line %j', (line) => {
    expectBoth(`${line}\r\n\r\n`, { code: 'PROTO' })
  })

  it('C027 says that a server which answers in TLS speaks TLS', () => {
    const alert = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46])
    expect(() => new ResponseHeadDecoder('proxy.test:3128').push(alert)).toThrow(/"tls"/)
  })

  it('C028 bounds the line, the head, and the number of fields', () => {
    expectBoth(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(HEAD_LIMITS.maxLineBytes)}\r\n\r\n`, { code: 'LIMIT' })
    expectBoth(`HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(8_000)}\r\n`.repeat(9)}\r\n`, { code: 'LIMIT' })
    expectBoth(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(HEAD_LIMITS.maxFields + 1)}\r\n`, { code: 'LIMIT' })
    expectBoth(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(HEAD_LIMITS.maxFields)}\r\n`, { status: 200 })
    expect(read([Buffer.from('HTTP/1.1 200 '), Buffer.alloc(1_048_576, 'x')])).toEqual({ code: 'LIMIT' })
  })

  it('C028 reads 64 KiB byte by byte in linear time', () => {
    const head = Buffer.from(`HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(8_000)}\r\n`.repeat(8)}\r\n`)
    let copied = 0
    const { copy } = Buffer.prototype
    Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer['copy']>): number {
      const count = copy.apply(this, args)
      copied += count
      return count
    }
    try {
      expect(read([...head].map((byte) => Buffer.from([byte])))).toMatchObject({ status: 200 })
    } finally {
      Buffer.prototype.copy = copy
    }
    expect(copied).toBeLessThan(head.length * 4)
  })

  it('C028 keeps at most 64 KiB, whatever comes in one chunk', () => {
    const start = `HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(1_000)}\r\n`.repeat(64)}`
    const behind = Buffer.alloc(65_536, 'x')
    const sizes: number[] = []
    const { allocUnsafeSlow } = Buffer
    Buffer.allocUnsafeSlow = (size) => {
      sizes.push(size)
      return allocUnsafeSlow(size)
    }
    try {
      const last = Buffer.concat([Buffer.from(': b\r\n\r\n'), behind])
      expect(read([Buffer.from(start), Buffer.from('A'), last])).toMatchObject({ status: 200, rest: behind.toString() })
      expect(read([Buffer.from(start), Buffer.from('A'), behind])).toEqual({ code: 'LIMIT' })
    } finally {
      Buffer.allocUnsafeSlow = allocUnsafeSlow
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(HEAD_LIMITS.maxHeadBytes)
  })

  it('gives the same result for any split of any bytes', () => {
    const line = fc.oneof(
      fc.constantFrom('HTTP/1.1 200 OK', 'A: b', ' c', 'Retry-After: 1', '', 'x', '\0', 'a:\r', 'HTTP/1.1 103 y'),
      fc.string({ unit: 'binary', maxLength: 12 }),
    )
    const text = fc.array(fc.tuple(line, fc.constantFrom('\r\n', '\n')), { maxLength: 8 })
      .map((lines) => lines.map(([content, end]) => content + end).join(''))
    const input = fc.oneof(text, text.map((tail) => `HTTP/1.1 200 OK\r\n${tail}`), fc.string({ unit: 'binary' }))
    fc.assert(fc.property(input, fc.array(fc.nat(64), { maxLength: 12 }), (sample, cuts) => {
      const bytes = Buffer.from(sample, 'latin1')
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        chunks.push(bytes.subarray(at, at + cut))
        at = Math.min(bytes.length, at + cut)
      }
      expect(read(chunks)).toEqual(read([bytes]))
    }), { numRuns: 2_000 })
  })
})
