import type { Cidr } from '../condition/ip-set.js'
import { readFields, type ProtobufField } from './protobuf.js'

/** One name of a `geosite` list, in v2ray's forms. */
export interface GeoDomain {
  readonly form: 'keyword' | 'regexp' | 'domain' | 'full'
  readonly text: string
  /** In lower case. */
  readonly attributes: readonly string[]
}

/** The networks of a `geoip` list; inverse: all addresses but these. */
export interface GeoNetworks {
  readonly networks: readonly Cidr[]
  readonly isInverse: boolean
}

/** By the number that data files have for them. */
const FORMS = ['keyword', 'regexp', 'domain', 'full'] as const

/** The lists of a data file by their names in lower case, each as its raw bytes. @throws {RangeError} */
export function indexLists(file: Buffer): ReadonlyMap<string, Buffer> {
  const lists = new Map<string, Buffer>()
  for (const list of messagesOf(file, 1)) lists.set(textOf(readFields(list), 1).toLowerCase(), list)
  return lists
}

/** @throws {RangeError} */
export function readDomains(list: Buffer): GeoDomain[] {
  return [...messagesOf(list, 2)].map((message) => {
    const fields = [...readFields(message)]
    const type = fields.find(({ number }) => number === 1)?.value ?? 0
    const form = FORMS[type as number]
    if (form === undefined) throw new RangeError(`a name is of the unknown kind ${String(type)}`)
    const attributes = [...messagesOf(message, 3)].map((attribute) => textOf(readFields(attribute), 1).toLowerCase())
    return { form, text: textOf(fields, 2), attributes }
  })
}

/** @throws {RangeError} */
export function readNetworks(list: Buffer): GeoNetworks {
  const networks = [...messagesOf(list, 2)].map((message): Cidr => {
    let bytes: Buffer | undefined
    let bits = 0
    for (const { number, value } of readFields(message)) {
      if (number === 1 && typeof value !== 'number') bytes = value
      if (number === 2 && typeof value === 'number') bits = value
    }
    if (bytes === undefined || (bytes.length !== 4 && bytes.length !== 16) || bits > bytes.length * 8) {
      throw new RangeError('a network has no address, or too long a prefix')
    }
    return { bytes, bits }
  })
  const isInverse = [...readFields(list)].some(({ number, value }) => number === 3 && value === 1)
  return { networks, isInverse }
}

function* messagesOf(message: Buffer, wanted: number): Generator<Buffer> {
  for (const { number, value } of readFields(message)) {
    if (number === wanted && typeof value !== 'number') yield value
  }
}

function textOf(fields: Iterable<ProtobufField>, wanted: number): string {
  for (const { number, value } of fields) if (number === wanted && typeof value !== 'number') return value.toString('utf8')
  return ''
}
