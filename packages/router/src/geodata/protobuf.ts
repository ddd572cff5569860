/** One field of a protobuf message: a number, or the bytes of a text or of a message. */
export interface ProtobufField {
  readonly number: number
  readonly value: number | Buffer
}

const MAX_VARINT_BYTES = 10

/**
 * Reads the fields of a message in order. Nothing is copied; fixed-size numbers are passed over.
 * @throws {RangeError} for bytes that are no protobuf.
 */
export function* readFields(message: Buffer): Generator<ProtobufField> {
  for (let at = 0; at < message.length;) {
    const key = readVarint(message, at)
    at = key.next
    const number = Math.floor(key.value / 8)
    switch (key.value % 8) {
      case 0: {
        const { value, next } = readVarint(message, at)
        at = next
        yield { number, value }
        break
      }
      case 2: {
        const length = readVarint(message, at)
        at = length.next + length.value
        if (at > message.length) throw new RangeError(`field ${number} is longer than what holds it`)
        yield { number, value: message.subarray(length.next, at) }
        break
      }
      case 1: at += 8; break
      case 5: at += 4; break
      default: throw new RangeError(`field ${number} is of no known kind`)
    }
  }
}

function readVarint(message: Buffer, start: number): { value: number, next: number } {
  let value = 0
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const byte = message[start + index]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, next: start + index + 1 }
  }
  throw new RangeError('a number has no end')
}
