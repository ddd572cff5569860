import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** A network: 4 or 16 bytes, of which the first bits count. */
export interface Cidr {
  readonly bytes: ArrayLike<number>
  readonly bits: number
}

/** Addresses of both families as sorted ranges that do not touch: a look-up is a binary search, however many there are. */
export class IpSet {
  readonly #v4: Ranges<number>
  readonly #v6: Ranges<bigint>

  constructor(networks: Iterable<Cidr>) {
    const v4: Range<number>[] = []
    const v6: Range<bigint>[] = []
    for (const { bytes, bits } of networks) {
      if (bytes.length === 4) v4.push(rangeOf4(bytes, bits))
      else if (isMapped(bytes) && bits >= 96) v4.push(rangeOf4(Array.from(bytes).slice(12), bits - 96))
      else v6.push(rangeOf6(bytes, bits))
    }
    this.#v4 = merged(v4, (value) => value + 1)
    this.#v6 = merged(v6, (value) => value + 1n)
  }

  has(address: ArrayLike<number>): boolean {
    return address.length === 4 ? contains(this.#v4, toNumber(address)) : contains(this.#v6, toBigInt(address))
  }
}

/** The bytes of an address; 4 of them also for an IPv4 address that is written as IPv6. `undefined` where it is none. */
export function addressBytes(text: string): readonly number[] | undefined {
  switch (isIP(text)) {
    case 4: return text.split('.').map(Number)
    case 6: return ipaddr.process(text).toByteArray()
    default: return undefined
  }
}

type Range<T> = readonly [first: T, last: T]

interface Ranges<T> {
  readonly firsts: readonly T[]
  readonly lasts: readonly T[]
}

function rangeOf4(bytes: ArrayLike<number>, bits: number): Range<number> {
  const size = 2 ** (32 - bits)
  const first = Math.floor(toNumber(bytes) / size) * size
  return [first, first + size - 1]
}

function rangeOf6(bytes: ArrayLike<number>, bits: number): Range<bigint> {
  const host = BigInt(128 - bits)
  const first = (toBigInt(bytes) >> host) << host
  return [first, first + (1n << host) - 1n]
}

function toNumber(bytes: ArrayLike<number>): number {
  let value = 0
  for (let index = 0; index < 4; index++) value = value * 256 + (bytes[index] ?? 0)
  return value
}

function toBigInt(bytes: ArrayLike<number>): bigint {
  let hex = '0x'
  for (let index = 0; index < 16; index++) hex += (bytes[index] ?? 0).toString(16).padStart(2, '0')
  return BigInt(hex)
}

/** Whether it is ::ffff:a.b.c.d. */
function isMapped(bytes: ArrayLike<number>): boolean {
  return Array.from(bytes).slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 0xff))
}

function merged<T extends number | bigint>(ranges: Range<T>[], after: (value: T) => T): Ranges<T> {
  ranges.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const firsts: T[] = []
  const lasts: T[] = []
  for (const [first, last] of ranges) {
    const previous = lasts.at(-1)
    if (previous === undefined || first > after(previous)) {
      firsts.push(first)
      lasts.push(last)
    } else if (last > previous) {
      lasts[lasts.length - 1] = last
    }
  }
  return { firsts, lasts }
}

function contains<T extends number | bigint>({ firsts, lasts }: Ranges<T>, value: T): boolean {
  let low = 0
  let high = firsts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((firsts[middle] as T) <= value) low = middle + 1
    else high = middle
  }
  return low > 0 && value <= (lasts[low - 1] as T)
}
