import { randomInt } from 'node:crypto'
import { decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE, type Answer as DnsRecord, type DecodedPacket } from 'dns-packet'
import type { AddressType, Answer } from './name-server.js'

const MAX_ADDRESSES = 64
const MAX_TTL_SECONDS = 86_400
/** RFC 2308 §5 advises one to three hours at most for what does not exist; a proxy's users are less patient. */
const MAX_NEGATIVE_TTL_SECONDS = 300

/** A question with the bytes that ask it. */
export interface Question {
  readonly id: number
  readonly name: string
  readonly type: AddressType
  readonly packet: Buffer
}

/** Which response it is, as far as the one who asks must know. */
export type Response = Answer | 'truncated' | 'not ours'

/** @param id 0 for DoH, whose answers may be kept by caches (RFC 8484 §4.1). @default at random */
export function makeQuestion(name: string, type: AddressType, id = randomInt(0x1_0000)): Question {
  return { id, name, type, packet: encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ type, name }] }) }
}

/**
 * Reads a server's response.
 * @throws {Error} for what is no response, and for any status but NOERROR and NXDOMAIN.
 */
export function readResponse(bytes: Buffer, { id, name, type }: Question): Response {
  const packet = decoded(bytes)
  const [question] = packet.questions ?? []
  const isOurs = packet.type === 'response' && packet.id === id && question?.type === type && question.name.toLowerCase() === name
  if (!isOurs) return 'not ours'
  if (((packet.flags ?? 0) & TRUNCATED_RESPONSE) !== 0) return 'truncated'
  // The types of dns-packet have no status, which its decoder always sets.
  const { rcode } = packet as DecodedPacket & { readonly rcode: string }
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') throw new Error(`answered ${rcode}`)
  const records = (packet.answers ?? []).filter(isAddress).filter((record) => record.type === type).slice(0, MAX_ADDRESSES)
  if (records.length === 0) return { addresses: [], ttlSeconds: negativeTtl(packet) }
  const ttl = Math.min(MAX_TTL_SECONDS, ...records.map((record) => record.ttl ?? 0))
  return { addresses: records.map(({ data }) => data), ttlSeconds: Math.max(0, ttl) }
}

function decoded(bytes: Buffer): DecodedPacket {
  try {
    return decode(bytes)
  } catch {
    throw new Error('answered what is no DNS message')
  }
}

type AddressRecord = DnsRecord & { readonly type: AddressType, readonly data: string, readonly ttl?: number }

function isAddress(record: DnsRecord): record is AddressRecord {
  return record.type === 'A' || record.type === 'AAAA'
}

/** How long an absence may be kept (RFC 2308 §5). */
function negativeTtl({ authorities = [] }: DecodedPacket): number {
  for (const record of authorities) {
    if (record.type === 'SOA') return Math.min(MAX_NEGATIVE_TTL_SECONDS, record.ttl ?? 0, record.data.minimum ?? 0)
  }
  return 0
}
