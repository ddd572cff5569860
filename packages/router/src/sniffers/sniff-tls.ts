import type { Sniffed } from '@sluice/core'
import { sniffedName } from './sniffed-name.js'

const HANDSHAKE = 0x16
const CLIENT_HELLO = 0x01
const SERVER_NAME = 0
/** RFC 8446 §5.1, with what TLS 1.2 allowed for expansion. */
const MAX_RECORD_BYTES = 16_384 + 2_048

/**
 * Recognises a TLS ClientHello (RFC 8446 §4.1.2), also one that is spread over several records, and the name in its server_name
 * extension (RFC 6066 §3).
 */
export function sniffTls(head: Buffer): Sniffed | 'more' | undefined {
  const hello = handshakeOf(head)
  if (hello === undefined) return undefined
  if (hello.length > 0 && hello[0] !== CLIENT_HELLO) return undefined
  if (hello.length < 4) return 'more'
  const length = hello.readUIntBE(1, 3)
  if (hello.length < 4 + length) return 'more'
  try {
    return { protocol: 'tls', ...sniffedName(serverNameOf(hello.subarray(4, 4 + length))) }
  } catch {
    // A length that points beyond the message.
    return undefined
  }
}

/** What the handshake records carry, as far as it has come; `undefined` where these are no such records. */
function handshakeOf(head: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  for (let start = 0; start < head.length;) {
    if (head[start] !== HANDSHAKE || (head[start + 1] ?? 3) !== 3) return parts.length > 0 ? Buffer.concat(parts) : undefined
    if (head.length < start + 5) break
    const length = head.readUInt16BE(start + 3)
    if (length === 0 || length > MAX_RECORD_BYTES) return undefined
    parts.push(head.subarray(start + 5, start + 5 + length))
    start += 5 + length
  }
  return Buffer.concat(parts)
}

/** @returns '' where there is none. @throws {RangeError} for lengths that do not fit. */
function serverNameOf(hello: Buffer): string {
  let at = 2 + 32
  at += 1 + hello.readUInt8(at)
  at += 2 + hello.readUInt16BE(at)
  at += 1 + hello.readUInt8(at)
  if (at >= hello.length) return ''
  const end = at + 2 + hello.readUInt16BE(at)
  for (at += 2; at + 4 <= end;) {
    const type = hello.readUInt16BE(at)
    const length = hello.readUInt16BE(at + 2)
    if (type === SERVER_NAME) return nameIn(hello.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return ''
}

function nameIn(list: Buffer): string {
  for (let at = 2; at + 3 <= list.length;) {
    const length = list.readUInt16BE(at + 1)
    if (list.readUInt8(at) === 0) return list.toString('latin1', at + 3, at + 3 + length)
    at += 3 + length
  }
  return ''
}
