/**
 * Lengths in bits of the codes of bytes 0 to 255 and of the end mark (RFC 7541 appendix B). The code is canonical: lengths alone
 * tell it.
 */
const LENGTHS = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
  6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
  13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
  15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30`.trim().split(/\s+/).map(Number)

const END_MARK = 256

/** Symbols by their codes, which are written as a one followed by the bits of the code. */
const SYMBOLS = canonicalCodes()

function canonicalCodes(): Map<number, number> {
  const bySize = LENGTHS.map((length, symbol) => ({ length, symbol })).sort((a, b) => a.length - b.length || a.symbol - b.symbol)
  const codes = new Map<number, number>()
  let code = 0
  let size = 0
  for (const { length, symbol } of bySize) {
    code *= 2 ** (length - size)
    size = length
    codes.set(2 ** length + code, symbol)
    code++
  }
  return codes
}

/** Decodes a Huffman-coded string of HPACK. @throws {Error} on a code that does not exist, the end mark, or wrong padding. */
export function decodeHuffman(bytes: Buffer): Buffer {
  const decoded: number[] = []
  let code = 1
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1)
      const symbol = SYMBOLS.get(code)
      if (symbol === undefined) continue
      if (symbol === END_MARK) throw new Error('Cannot decode a Huffman string: it has an end mark')
      decoded.push(symbol)
      code = 1
    }
  }
  // What is left is the beginning of the end mark, all ones, and shorter than a byte (RFC 7541 §5.2).
  const isPadding = code < 256 && Number.isInteger(Math.log2(code + 1))
  if (!isPadding) throw new Error('Cannot decode a Huffman string: it ends within a code')
  return Buffer.from(decoded)
}
