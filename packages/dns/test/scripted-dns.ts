import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { AUTHORITATIVE_ANSWER, decode, encode, streamDecode, streamEncode, TRUNCATED_RESPONSE, type Answer, type Packet } from 'dns-packet'
import type { IssuedCertificate } from '@sluice/testkit'

/** What is answered to one question: addresses, a status, a cut answer, bytes as they are, or nothing. */
export type Reply = { readonly addresses?: readonly string[], readonly ttl?: number, readonly rcode?: number, readonly soa?: number }
  | 'nothing' | 'truncated' | 'wrong id' | Buffer

export type Script = (name: string, type: string, transport: 'udp' | 'tcp' | 'https') => Reply

export interface ScriptedDns extends AsyncDisposable {
  readonly port: number
  /** All questions, as `udp A name`. */
  readonly asked: string[]
}

function answersTo(query: Packet, reply: Exclude<Reply, Buffer | 'nothing'>): Packet {
  const [question] = query.questions ?? []
  if (question === undefined) throw new Error('There is no question')
  const base: Packet = { type: 'response', id: reply === 'wrong id' ? (query.id ?? 0) ^ 1 : query.id ?? 0, flags: AUTHORITATIVE_ANSWER, questions: [question] }
  if (reply === 'truncated') return { ...base, flags: TRUNCATED_RESPONSE }
  const { addresses = ['192.0.2.66'], ttl = 60, rcode = 0, soa } = reply === 'wrong id' ? {} : reply
  const isType = (address: string): boolean => address.includes(':') === (question.type === 'AAAA')
  return {
    ...base,
    flags: AUTHORITATIVE_ANSWER | rcode,
    answers: [
      { type: 'CNAME', name: question.name, ttl: 1, data: 'alias.test' },
      ...addresses.filter(isType).map((data) => ({ type: question.type, name: 'alias.test', ttl, data }) as Answer),
    ],
    ...(soa === undefined ? {} : { authorities: [{
      type: 'SOA', name: 'test', ttl: soa, data: { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: soa },
    } as Answer] }),
  }
}

/** A server for UDP and TCP on one port of loopback. */
export async function scriptedDns(script: Script): Promise<ScriptedDns> {
  const asked: string[] = []
  const reply = (query: Packet, transport: 'udp' | 'tcp'): Packet | Buffer | undefined => {
    const [{ name, type } = { name: '', type: 'A' }] = query.questions ?? []
    asked.push(`${transport} ${type} ${name}`)
    const answer = script(name, type, transport)
    return answer === 'nothing' ? undefined : Buffer.isBuffer(answer) ? answer : answersTo(query, answer)
  }
  const tcp = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const packet = reply(streamDecode(bytes) as Packet, 'tcp')
      if (packet === undefined) socket.end()
      else socket.write(Buffer.isBuffer(packet) ? packet : streamEncode(packet))
    })
  }).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4', (bytes, { port: from, address }) => {
    const packet = reply(decode(bytes), 'udp')
    if (packet !== undefined) udp.send(Buffer.isBuffer(packet) ? packet : encode(packet), from, address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

/** A DoH server on a port of loopback. A reply of bytes is sent with the HTTP status that its first two bytes say. */
export async function scriptedDoh(certificate: IssuedCertificate, script: Script): Promise<ScriptedDns & { readonly connections: () => number }> {
  const asked: string[] = []
  let connections = 0
  const server = createHttpsServer({ cert: certificate.certPem, key: certificate.keyPem }, (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const query = decode(Buffer.concat(chunks)) as Packet
      const [{ name, type } = { name: '', type: 'A' }] = query.questions ?? []
      asked.push(`${incoming.method} ${incoming.url} ${incoming.headers['content-type']} ${query.id} ${type} ${name}`)
      const answer = script(name, type, 'https')
      if (answer === 'nothing') return
      if (Buffer.isBuffer(answer)) outgoing.writeHead(answer.readUInt16BE(0)).end(answer.subarray(2))
      else outgoing.setHeader('content-type', 'application/dns-message').end(encode(answersTo(query, answer)))
    })
  }).on('secureConnection', () => { connections++ }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
