import { decodeHuffman } from './huffman.js'

/** A header field. Names of pseudo-fields begin with a colon. */
export type HeaderField = readonly [name: string, value: string]

export interface DecodedField {
  readonly name: string
  readonly value: string
  /** It came as a literal that must never enter a table (RFC 7541 §6.2.3), as secrets do. */
  readonly neverIndexed: boolean
}

const STATIC_TABLE: readonly HeaderField[] = [
  ':authority', ':method|GET', ':method|POST', ':path|/', ':path|/index.html', ':scheme|http', ':scheme|https', ':status|200',
  ':status|204', ':status|206', ':status|304', ':status|400', ':status|404', ':status|500', 'accept-charset',
  'accept-encoding|gzip, deflate', 'accept-language', 'accept-ranges', 'accept', 'access-control-allow-origin', 'age', 'allow',
  'authorization', 'cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-length', 'content-location',
  'content-range', 'content-type', 'cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match', 'if-modified-since',
  'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified', 'link', 'location', 'max-forwards', 'proxy-authenticate',
  'proxy-authorization', 'range', 'referer', 'refresh', 'retry-after', 'server', 'set-cookie', 'strict-transport-security',
  'transfer-encoding', 'user-agent', 'vary', 'via', 'www-authenticate',
].map((entry) => {
  const [name = '', value = ''] = entry.split('|')
  return [name, value]
})

/** An entry of the dynamic table counts for this much more than its text (RFC 7541 §4.1). */
const ENTRY_OVERHEAD_BYTES = 32

/** Encodes fields as literals without indexing and without Huffman coding, whatever they hold: a test may send what is not allowed. */
export function encodeFields(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), encodeString(name), encodeString(value)]))
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes])
}

function encodeInteger(value: number, prefixBits: number): Buffer {
  const limit = 2 ** prefixBits - 1
  if (value < limit) return Buffer.of(value)
  const bytes = [limit]
  let rest = value - limit
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

/** Decodes the header blocks of one connection, in their order (RFC 7541). */
export class HpackDecoder {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #table: HeaderField[] = []
  #tableBytes = 0
  #maxTableBytes: number

  constructor(maxTableBytes = 4_096) {
    this.#maxTableBytes = maxTableBytes
  }

  /** @throws {Error} if the block is none. */
  decode(block: Buffer): DecodedField[] {
    this.#bytes = block
    this.#at = 0
    const fields: DecodedField[] = []
    while (this.#at < block.length) {
      const field = this.#field()
      if (field !== undefined) fields.push(field)
    }
    return fields
  }

  #field(): DecodedField | undefined {
    const first = this.#peek()
    if (first >= 0x80) {
      const [name, value] = this.#entry(this.#integer(7))
      return { name, value, neverIndexed: false }
    }
    if (first >= 0x40) return this.#literal(6, true)
    if (first >= 0x20) {
      this.#maxTableBytes = this.#integer(5)
      this.#evict()
      return undefined
    }
    return this.#literal(4, false, first >= 0x10)
  }

  #literal(prefixBits: number, isIndexed: boolean, neverIndexed = false): DecodedField {
    const index = this.#integer(prefixBits)
    const name = index === 0 ? this.#string() : this.#entry(index)[0]
    const value = this.#string()
    if (isIndexed) {
      this.#table.unshift([name, value])
      this.#tableBytes += sizeOf([name, value])
      this.#evict()
    }
    return { name, value, neverIndexed }
  }

  #entry(index: number): HeaderField {
    const entry = STATIC_TABLE[index - 1] ?? this.#table[index - 1 - STATIC_TABLE.length]
    if (entry === undefined) throw new Error(`Cannot decode a header block: there is no entry ${index}`)
    return entry
  }

  #evict(): void {
    while (this.#tableBytes > this.#maxTableBytes) {
      const oldest = this.#table.pop()
      if (oldest === undefined) break
      this.#tableBytes -= sizeOf(oldest)
    }
  }

  #string(): string {
    const isHuffman = this.#peek() >= 0x80
    const length = this.#integer(7)
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return (isHuffman ? decodeHuffman(bytes) : bytes).toString('latin1')
  }

  #integer(prefixBits: number): number {
    const limit = 2 ** prefixBits - 1
    let value = this.#next() % (limit + 1)
    if (value < limit) return value
    for (let shift = 0; ; shift += 7) {
      const byte = this.#next()
      value += (byte % 128) * 2 ** shift
      if (byte < 128) return value
    }
  }

  #peek(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new Error('Cannot decode a header block: it is cut short')
    return byte
  }

  #next(): number {
    const byte = this.#peek()
    this.#at++
    return byte
  }
}

function sizeOf([name, value]: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES
}
