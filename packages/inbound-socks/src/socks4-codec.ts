import type { ProxyErrorCode } from '@sluice/core'
import type { Parse } from './message-decoder.js'
import { SocksRefusal } from './socks-refusal.js'

export const SOCKS4_VERSION = 4
export const SOCKS4_CONNECT = 1

const HEAD_BYTES = 8
const MAX_TEXT_BYTES = 255
const REPLY_VERSION = 0
const GRANTED = 0x5a
const REJECTED = 0x5b

/** What a client asks for. `host` is as it was sent: the name of 4a is not resolved, and not checked either. */
export interface Socks4Request {
  readonly command: number
  readonly host: string
  readonly port: number
}

/**
 * The request of SOCKS4, or of 4a, which names its host behind an impossible address (0.0.0.x). The user id proves nothing, so it is
 * skipped. Neither may be longer than 255 bytes.
 *
 * @throws {SocksRefusal} PROTO for a longer user id, TARGET for a longer name.
 */
export const parseSocks4Request: Parse<Socks4Request> = (bytes) => {
  if (bytes.length < HEAD_BYTES) return undefined
  const userEnd = textEnd(bytes, HEAD_BYTES, 'PROTO', 'user id')
  if (userEnd === undefined) return undefined
  const address = bytes.subarray(4, HEAD_BYTES)
  const [command, port] = [bytes[1] ?? 0, bytes.readUInt16BE(2)]
  if (!isNamed(address)) return { value: { command, host: address.join('.'), port }, length: userEnd + 1 }
  const nameEnd = textEnd(bytes, userEnd + 1, 'TARGET', 'host')
  if (nameEnd === undefined) return undefined
  return { value: { command, host: bytes.toString('utf8', userEnd + 1, nameEnd), port }, length: nameEnd + 1 }
}

/** The answer to a request. Which address the tunnel has at its far end is not known: it is told as 0.0.0.0:0. */
export function formatSocks4Reply(granted: boolean): Buffer {
  return Buffer.from([REPLY_VERSION, granted ? GRANTED : REJECTED, 0, 0, 0, 0, 0, 0])
}

/** Says no to a request. SOCKS4 has no words for why. */
export function rejectSocks4(code: ProxyErrorCode, message: string): SocksRefusal {
  return new SocksRefusal(code, message, formatSocks4Reply(false))
}

function isNamed(address: Buffer): boolean {
  return address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0
}

/** Where the NUL behind a text is; `undefined` while it may still come. */
function textEnd(bytes: Buffer, start: number, code: ProxyErrorCode, what: string): number | undefined {
  const length = bytes.subarray(start, start + MAX_TEXT_BYTES + 1).indexOf(0)
  if (length !== -1) return start + length
  if (bytes.length - start <= MAX_TEXT_BYTES) return undefined
  throw rejectSocks4(code, `The client sent a ${what} of more than ${MAX_TEXT_BYTES} bytes`)
}
