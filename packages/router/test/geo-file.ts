/** Writes data files of v2ray's format, for tests. */

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

function field(number: number, value: number | string | Uint8Array): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)])
  const bytes = Buffer.from(value as Uint8Array)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

const FORMS = { keyword: 0, regexp: 1, domain: 2, full: 3 } as const

/** Lists of names, each written as `form:text@attribute`. */
export function geosite(lists: Readonly<Record<string, readonly string[]>>): Buffer {
  return Buffer.concat(Object.entries(lists).map(([name, entries]) => field(1, Buffer.concat([
    field(1, name),
    ...entries.map((entry) => {
      const [, form = 'full', text = '', attributes = ''] = /^(\w+):([^@]*)@?(.*)$/.exec(entry) ?? []
      return field(2, Buffer.concat([
        field(1, FORMS[form as keyof typeof FORMS]), field(2, text),
        ...attributes.split('@').filter(Boolean).map((attribute) => field(3, Buffer.concat([field(1, attribute), field(2, 1)]))),
      ]))
    }),
  ]))))
}

/** Lists of networks, as `10.0.0.0/8` or, of IPv6, 16 bytes in hexadecimal and the prefix. */
export function geoip(lists: Readonly<Record<string, readonly string[]>>, inverse: readonly string[] = []): Buffer {
  return Buffer.concat(Object.entries(lists).map(([name, networks]) => field(1, Buffer.concat([
    field(1, name),
    ...networks.map((network) => {
      const [address = '', bits] = network.split('/')
      const bytes = address.includes('.') ? Buffer.from(address.split('.').map(Number)) : Buffer.from(address, 'hex')
      return field(2, Buffer.concat([field(1, bytes), field(2, Number(bits))]))
    }),
    ...(inverse.includes(name) ? [field(3, 1)] : []),
  ]))))
}
