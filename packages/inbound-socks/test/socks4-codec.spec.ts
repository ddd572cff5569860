import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageDecoder } from '../src/message-decoder.js'
import { formatSocks4Reply, parseSocks4Request, rejectSocks4 } from '../src/socks4-codec.js'
import { parseOpening } from '../src/socks-handshake.js'
import { SocksRefusal } from '../src/socks-refusal.js'

const MAX_BYTES = 8 + 256 + 256

describe('parseSocks4Request()', () => {
  it.each([
    ['04 01 01 bb 01 02 03 04 00', '1.2.3.4', 443],
    ['04 01 00 50 c0 00 02 01 6d 65 00', '192.0.2.1', 80],
    ['04 01 00 50 00 00 00 00 00', '0.0.0.0', 80],
    ['04 01 00 50 00 00 01 01 00', '0.0.1.1', 80],
    ['04 01 00 50 00 00 00 01 00 61 00', 'a', 80],
    ['04 01 ff ff 00 00 00 ff 6d 65 00 c3 bc 78 00', 'üx', 65_535],
    ['04 01 00 00 00 00 00 01 00 00', '', 0],
  ])('C160 reads %s as %s:%d, and skips the user id', (hex, host, port) => {
    const message = bytes(hex)
    const value = { command: 1, host, port }
    expect(parseSocks4Request(Buffer.concat([message, Buffer.from('rest')]))).toEqual({ value, length: message.length })
    for (let length = 0; length < message.length; length++) expect(parseSocks4Request(message.subarray(0, length))).toBeUndefined()
  })

  it('tells the command, whatever it is', () => {
    expect(parseSocks4Request(bytes('04 02 00 50 01 02 03 04 00'))?.value.command).toBe(2)
    expect(parseSocks4Request(bytes('04 ff 00 50 01 02 03 04 00'))?.value.command).toBe(255)
  })

  it('T8 takes a user id and a host of 255 bytes, and refuses a byte more of either as soon as it shows', () => {
    const head = bytes('04 01 00 50 00 00 00 01')
    const [most, more] = [Buffer.alloc(255, 'a'), Buffer.alloc(256, 'a')]
    const nul = Buffer.alloc(1)
    const longest = Buffer.concat([head, most, nul, most, nul])
    expect(parseSocks4Request(longest)).toMatchObject({ value: { host: String(most) }, length: MAX_BYTES })
    expect(parseSocks4Request(Buffer.concat([head, most]))).toBeUndefined()
    expect(parseSocks4Request(Buffer.concat([head, most, nul, most]))).toBeUndefined()
    expect(refusalOf(() => parseSocks4Request(Buffer.concat([head, more])))).toMatchObject({ cause: { code: 'PROTO' } })
    expect(refusalOf(() => parseSocks4Request(Buffer.concat([head, nul, more])))).toMatchObject({ cause: { code: 'TARGET' } })
  })
})

describe('formatSocks4Reply(), rejectSocks4()', () => {
  it('P40 know two answers', () => {
    expect(formatSocks4Reply(true)).toEqual(bytes('00 5a 00 00 00 00 00 00'))
    expect(formatSocks4Reply(false)).toEqual(bytes('00 5b 00 00 00 00 00 00'))
    expect(rejectSocks4('TIMEOUT', 'no')).toMatchObject({ message: 'no', answer: formatSocks4Reply(false), cause: { code: 'TIMEOUT' } })
  })
})

describe('MessageDecoder with parseOpening', () => {
  // Most inputs start as a message does, so that they get past the first bytes.
  const input = (size: fc.IntArrayConstraints): fc.Arbitrary<Buffer> => {
    const byte = fc.oneof(fc.constantFrom(0, 0x61), fc.integer({ min: 0, max: 255 }))
    const text = fc.array(fc.oneof({ weight: 60, arbitrary: fc.constant(0x61) }, { weight: 1, arbitrary: byte }), size)
    return fc.tuple(fc.constantFrom('', '04', '05', '040100500000000100', '0401005001020304', '0401005000000001'), text)
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, 'hex'), Buffer.from(rest)]))
  }

  it('tells the version by the first byte', () => {
    expect(parseOpening(bytes('05 01 00'))).toEqual({ value: { methods: [0] }, length: 3 })
    expect(parseOpening(bytes('04 01 00 50 01 02 03 04 00')))
      .toEqual({ value: { socks4: { command: 1, host: '1.2.3.4', port: 80 } }, length: 9 })
    expect(() => parseOpening(bytes('06'))).toThrow(SocksRefusal)
    expect(parseOpening(Buffer.alloc(0))).toBeUndefined()
  })

  it('comes to the same result whatever the chunks', () => {
    fc.assert(fc.property(input({ maxLength: 600 }), fc.array(fc.nat(40)), (all, cuts) => {
      expect(decodeIn(all, cuts)).toEqual(decodeIn(all, []))
      expect(decodeIn(all, Array(all.length).fill(1))).toEqual(decodeIn(all, []))
    }), { numRuns: 500 })
  })

  it('throws SocksRefusal only, and knows its mind after the longest message', () => {
    fc.assert(fc.property(input({ minLength: MAX_BYTES, maxLength: MAX_BYTES + 20 }), (all) => {
      expect(decodeIn(all, [])).not.toBe('incomplete')
    }), { numRuns: 500 })
  })

  it('reads back every request that it may be sent', () => {
    const text = fc.stringMatching(/^[\x01-\x7f]{0,255}$/)
    const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).filter(([a, b, c]) => a + b + c > 0)
    fc.assert(fc.property(text, text, address, fc.nat(65_535), fc.boolean(), (user, name, numbers, port, isNamed) => {
      const request = Buffer.concat([
        Buffer.from([4, 1, port >> 8, port & 255, ...(isNamed ? [0, 0, 0, 1] : numbers)]),
        Buffer.from(`${user}\0${isNamed ? `${name}\0` : ''}`),
      ])
      const host = isNamed ? name : numbers.join('.')
      expect(parseSocks4Request(request)).toEqual({ value: { command: 1, host, port }, length: request.length })
    }), { numRuns: 500 })
  })
})

/** Pushes the bytes in chunks of these sizes, what is left as the last: result, refusal, or that it is incomplete. */
function decodeIn(all: Buffer, sizes: readonly number[]): unknown {
  const decoder = new MessageDecoder(parseOpening)
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
