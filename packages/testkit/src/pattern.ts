import { createHash } from 'node:crypto'

// A prime, so that no chunk size of any layer falls into step with the pattern and hides a lost or doubled chunk.
const PERIOD = 65_521
const BLOCK = makeBlock()

/**
 * Bytes that look random and are the same in every run: byte `i` depends on `i` alone.
 *
 * @param from Position of the first byte. @default 0
 */
export function pattern(bytes: number, from = 0): Buffer {
  const result = Buffer.allocUnsafe(bytes)
  for (let at = 0, offset = from % PERIOD; at < bytes; offset = 0) at += BLOCK.copy(result, at, offset)
  return result
}

/** SHA-256 as hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function makeBlock(): Buffer {
  const block = Buffer.allocUnsafe(PERIOD)
  let state = 0x2545f491
  for (let at = 0; at < PERIOD; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    block[at] = state >>> 16
  }
  return block
}
