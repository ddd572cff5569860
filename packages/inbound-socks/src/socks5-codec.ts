import { ERROR_CODES, type ProxyErrorCode } from '@sluice/core'
import type { Parse } from './message-decoder.js'
import { SocksRefusal } from './socks-refusal.js'

const VERSION = 5
const AUTH_VERSION = 1
const IPV4 = 1
const DOMAIN = 3
const IPV6 = 4
const MAPPED_IPV4 = Buffer.from('00000000000000000000ffff', 'hex')

export const METHOD_NO_AUTH = 0
export const METHOD_PASSWORD = 2
export const METHOD_NONE_ACCEPTABLE = 0xff
export const COMMAND_CONNECT = 1
export const REPLY_SUCCEEDED = 0

/** What a client asks for (RFC 1928 §4). `host` is as it was sent: a name is not resolved, and not checked either. */
export interface Socks5Request {
  readonly command: number
  readonly host: string
  readonly port: number
}

/** User and password of a client (RFC 1929). */
export interface Socks5Credentials {
  readonly user: string
  readonly pass: string
}

/** The methods of authentication that a client offers (RFC 1928 §3). @throws {SocksRefusal} PROTO for another version. */
export const parseGreeting: Parse<readonly number[]> = (bytes) => {
  if (bytes.length > 0 && bytes[0] !== VERSION) throw notSocks(bytes[0] ?? 0)
  const length = 2 + (bytes[1] ?? 0)
  return bytes.length < length ? undefined : { value: [...bytes.subarray(2, length)], length }
}

/** User and password (RFC 1929 §2); either may be empty. @throws {SocksRefusal} PROTO for another version. */
export const parseCredentials: Parse<Socks5Credentials> = (bytes) => {
  if (bytes.length > 0 && bytes[0] !== AUTH_VERSION) throw malformed(`version ${bytes[0]} of the user/password message`)
  const userEnd = 2 + (bytes[1] ?? 0)
  const passEnd = userEnd + 1 + (bytes[userEnd] ?? 0)
  if (bytes.length <= userEnd || bytes.length < passEnd) return undefined
  return { value: { user: bytes.toString('utf8', 2, userEnd), pass: bytes.toString('utf8', userEnd + 1, passEnd) }, length: passEnd }
}

/** The request (RFC 1928 §4). @throws {SocksRefusal} PROTO for another version, TARGET for an unknown type of address. */
export const parseRequest: Parse<Socks5Request> = (bytes) => {
  if (bytes.length > 0 && bytes[0] !== VERSION) throw malformed(`version ${bytes[0]} of the request`)
  if (bytes.length < 4) return undefined
  const end = addressEnd(bytes)
  if (bytes.length < end + 2) return undefined
  return { value: { command: bytes[1] ?? 0, host: readHost(bytes, end), port: bytes.readUInt16BE(end) }, length: end + 2 }
}

/** The answer to a greeting. */
export function formatMethod(method: number): Buffer {
  return Buffer.from([VERSION, method])
}

/** The answer to user and password. */
export function formatAuthStatus(accepted: boolean): Buffer {
  return Buffer.from([AUTH_VERSION, accepted ? 0 : 1])
}

/** The answer to a request (RFC 1928 §6). Which address the tunnel has at its far end is not known: it is told as 0.0.0.0:0. */
export function formatReply(reply: number): Buffer {
  return Buffer.from([VERSION, reply, 0, IPV4, 0, 0, 0, 0, 0, 0])
}

/** Says no to a request, with the reply that belongs to the code. */
export function refuseRequest(code: ProxyErrorCode, message: string): SocksRefusal {
  return new SocksRefusal(code, message, formatReply(ERROR_CODES[code].socks))
}

function addressEnd(bytes: Buffer): number {
  switch (bytes[3]) {
    case IPV4: return 8
    case IPV6: return 20
    case DOMAIN: return 5 + (bytes[4] ?? 0)
    default: throw refuseRequest('TARGET', `The client sent an unknown type of address: ${bytes[3]}`)
  }
}

function readHost(bytes: Buffer, end: number): string {
  switch (bytes[3]) {
    case IPV4: return bytes.subarray(4, end).join('.')
    case IPV6: return formatIpv6(bytes.subarray(4, end))
    default: return bytes.toString('utf8', 5, end)
  }
}

function notSocks(version: number): SocksRefusal {
  const isHttp = version >= 0x41 && version <= 0x5a
  return malformed(isHttp ? 'HTTP, it seems, to a SOCKS inbound' : `version ${version}`)
}

function malformed(what: string): SocksRefusal {
  return new SocksRefusal('PROTO', `The client does not speak SOCKS: it sent ${what}`)
}

/** As RFC 5952 writes it; an IPv4 address that is mapped into IPv6 as IPv4, so that rules for one hold for the other. */
function formatIpv6(bytes: Buffer): string {
  if (bytes.subarray(0, 12).equals(MAPPED_IPV4)) return bytes.subarray(12).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
