import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FirstRequestDecoder } from '../src/first-request.js'
import { RequestRefusal } from '../src/request-refusal.js'

describe('FirstRequestDecoder', () => {
  it.each([
    ['GET http://a/ HTTP/1.1\r\n', 'GET http://a/ HTTP/1.1\r\n'], ['CONNECTX', 'CONNECTX'], ['CX', 'CX'], ['Z', 'Z'], ['\r\nGET ', 'GET '],
    ['CONNECT\ta:1', 'CONNECT\ta:1'],
  ])('takes nothing of the plain request %j but an empty line before it', (text, rest) => {
    expect(decode(text)).toEqual({ value: 'plain', rest })
  })

  it('reads a CONNECT, with an empty line before it or without, and leaves what follows', () => {
    const value = { method: 'CONNECT', target: 'a:1', version: '1.1', fields: [] }
    expect(decode('CONNECT a:1 HTTP/1.1\r\n\r\nrest')).toEqual({ value, rest: 'rest' })
    expect(decode('\r\nCONNECT a:1 HTTP/1.1\r\n\r\nrest')).toEqual({ value, rest: 'rest' })
  })

  it.each(['', '\r', '\r\n', 'C', 'CONNECT', '\r\nCONNECT ', 'CONNECT a'])('waits for more than %j', (text) => {
    expect(decode(text)).toBe('incomplete')
  })

  it.each([
    ['connect a:1 HTTP/1.1\r\n\r\n', 501], ['get http://a/ HTTP/1.1\r\n\r\n', 501], ['m-search a:1 HTTP/1.1\r\n\r\n', 501],
    ['\r\n\r\nGET http://a/ HTTP/1.1\r\n\r\n', 400], ['\nGET ', 400], ['\rGET\n', 400], ['\x16\x03\x01', 400], [' GET', 400],
  ])('refuses %j with %d', (text, status) => {
    expect(decode(text)).toMatchObject({ refused: status })
  })

  it('comes to the same result whatever the chunks, and throws nothing but refusals', () => {
    const piece = fc.constantFrom('\r\n', '\r', '\n', 'CONNECT ', 'CONN', 'GET ', 'get ', 'a:1 HTTP/1.1', 'C', '\0', 'x')
    fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 9 })), (pieces, sizes) => {
      const text = pieces.join('')
      expect(decode(text, sizes)).toEqual(decode(text))
      expect(decode(text, Array(text.length).fill(1))).toEqual(decode(text))
    }), { numRuns: 1_000 })
  })
})

/** Pushes text in chunks of these sizes, what is left as the last. */
function decode(text: string, sizes: readonly number[] = []): unknown {
  const decoder = new FirstRequestDecoder()
  const all = Buffer.from(text, 'latin1')
  let at = 0
  try {
    for (const size of [...sizes, all.length]) {
      const result = decoder.push(all.subarray(at, at + size))
      at = Math.min(at + size, all.length)
      if (result !== undefined) return { value: result.value, rest: Buffer.concat([result.rest, all.subarray(at)]).toString('latin1') }
    }
    return 'incomplete'
  } catch (error) {
    expect(error).toBeInstanceOf(RequestRefusal)
    return { refused: (error as RequestRefusal).status, message: (error as Error).message }
  }
}
