import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageDecoder, type Parse } from '../src/message-decoder.js'
import {
  formatAuthStatus, formatMethod, formatReply, parseCredentials, parseGreeting, parseRequest, refuseRequest,
} from '../src/socks5-codec.js'
import { SocksRefusal } from '../src/socks-refusal.js'

const parsers: [string, Parse<unknown>, number][] = [
  ['parseGreeting', parseGreeting, 257], ['parseCredentials', parseCredentials, 513], ['parseRequest', parseRequest, 262],
]

describe('parseGreeting()', () => {
  it('P37 reads the method list whole', () => {
    expect(parseGreeting(bytes('05 03 00 01 02'))).toEqual({ value: [0, 1, 2], length: 5 })
    expect(parseGreeting(bytes('05 03 00 01'))).toBeUndefined()
    expect(parseGreeting(bytes('05 00'))).toEqual({ value: [], length: 2 })
    expect(parseGreeting(Buffer.from([5, 255, ...Array(255).keys()]))?.value).toHaveLength(255)
  })

  it.each([['04 01 00 50', /version 4/], ['47', /HTTP/], ['16 03 01', /version 22/]])('refuses %s', (hex, message) => {
    expect(() => parseGreeting(bytes(hex))).toThrow(message)
  })
})

describe('parseCredentials()', () => {
  it('reads user and password, of which either may be empty', () => {
    expect(parseCredentials(bytes('01 02 6d 65 01 78 ff'))).toEqual({ value: { user: 'me', pass: 'x' }, length: 6 })
    expect(parseCredentials(bytes('01 00 00'))).toEqual({ value: { user: '', pass: '' }, length: 3 })
    expect(parseCredentials(bytes('01 02 6d 65'))).toBeUndefined()
    expect(parseCredentials(bytes('01 03 c3 bc 78 00'))?.value).toEqual({ user: 'üx', pass: '' })
  })

  it('P38 refuses another version', () => {
    expect(() => parseCredentials(bytes('05'))).toThrow(SocksRefusal)
  })
})

describe('parseRequest()', () => {
  it.each([
    ['05 01 00 01 01 02 03 04 01 bb', '1.2.3.4', 443],
    ['05 01 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 01 bb', '2001:db8::1', 443],
    ['05 01 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 50', '::1', 80],
    ['05 01 00 04 00 00 00 00 00 00 00 00 00 00 ff ff 7f 00 00 01 00 50', '127.0.0.1', 80],
    ['05 01 00 03 01 61 00 50', 'a', 80],
    ['05 01 00 03 03 c3 bc 78 ff ff', 'üx', 65_535],
    ['05 01 00 03 00 00 00', '', 0],
  ])('C160 reads %s as %s:%d', (hex, host, port) => {
    const message = bytes(hex)
    const value = { command: 1, host, port }
    expect(parseRequest(Buffer.concat([message, Buffer.from('rest')]))).toEqual({ value, length: message.length })
    expect(parseRequest(message.subarray(0, -1))).toBeUndefined()
  })

  it('P39 refuses an unknown type of address with REP 08, as soon as it shows', () => {
    expect(refusalOf(() => parseRequest(bytes('05 01 00 02'))).answer).toEqual(formatReply(8))
  })
})

describe('formatMethod(), formatAuthStatus(), formatReply()', () => {
  it('write what the RFCs say', () => {
    expect(formatMethod(0xff)).toEqual(bytes('05 ff'))
    expect(formatAuthStatus(true)).toEqual(bytes('01 00'))
    expect(formatAuthStatus(false)).toEqual(bytes('01 01'))
    expect(formatReply(0)).toEqual(bytes('05 00 00 01 00 00 00 00 00 00'))
  })
})

describe('refuseRequest()', () => {
  it('P40 answers with the reply of the code', () => {
    const cause = { code: 'TIMEOUT', side: 'downstream' }
    expect(refuseRequest('TIMEOUT', 'no')).toMatchObject({ message: 'no', answer: formatReply(6), cause })
  })
})

describe.each(parsers)('MessageDecoder with %s', (_, parse, maxBytes) => {
  // Most inputs start as the message does, so that they get past the first bytes.
  const input = (size: fc.IntArrayConstraints): fc.Arbitrary<Buffer> =>
    fc.tuple(fc.constantFrom(undefined, 1, 5), fc.constantFrom(undefined, 1, 3, 4), fc.uint8Array(size)).map(([version, type, random]) => {
      if (version !== undefined && random.length > 0) random[0] = version
      if (type !== undefined && random.length > 3) random[3] = type
      return Buffer.from(random)
    })

  it('comes to the same result whatever the chunks', () => {
    fc.assert(fc.property(input({ maxLength: 600 }), fc.array(fc.nat(40)), (all, cuts) => {
      expect(decodeIn(parse, all, cuts)).toEqual(decodeIn(parse, all, []))
    }), { numRuns: 500 })
  })

  it('throws SocksRefusal only, and knows its mind after the longest message', () => {
    fc.assert(fc.property(input({ minLength: maxBytes, maxLength: maxBytes + 20 }), (all) => {
      expect(decodeIn(parse, all, [])).not.toBe('incomplete')
    }), { numRuns: 500 })
  })
})

/** Pushes the bytes in chunks of these sizes, what is left as the last: result, refusal, or that it is incomplete. */
function decodeIn(parse: Parse<unknown>, all: Buffer, sizes: readonly number[]): unknown {
  const decoder = new MessageDecoder(parse)
  let at = 0
  try {
    for (const size of [...sizes, all.length]) {
      const result = decoder.push(all.subarray(at, at + size))
      at = Math.min(at + size, all.length)
      if (result !== undefined) return { value: result.value, rest: Buffer.concat([result.rest, all.subarray(at)]).toString('hex') }
    }
    return 'incomplete'
  } catch (error) {
    expect(error).toBeInstanceOf(SocksRefusal)
    return (error as Error).message
  }
}

function refusalOf(act: () => unknown): SocksRefusal {
  try {
    act()
  } catch (error) {
    if (error instanceof SocksRefusal) return error
  }
  throw new Error('Cannot find a refusal: there was none')
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}
