// Writes data files of v2ray's format for both sides of the comparison.

function varint(value) {
  const bytes = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

function field(number, value) {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)])
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

const FORMS = { keyword: 0, regexp: 1, domain: 2, full: 3 }

/** @param lists by name, of entries as `domain:a.test@attribute` */
export function geosite(lists) {
  return Buffer.concat(Object.entries(lists).map(([name, entries]) => field(1, Buffer.concat([
    field(1, name),
    ...entries.map((entry) => {
      const [, form, text, attribute] = /^(\w+):([^@]*)(?:@(.*))?$/.exec(entry)
      const attributes = attribute === undefined ? [] : [field(3, Buffer.concat([field(1, attribute), field(2, 1)]))]
      return field(2, Buffer.concat([field(1, FORMS[form]), field(2, text), ...attributes]))
    }),
  ]))))
}

/** @param lists by name, of IPv4 networks */
export function geoip(lists) {
  return Buffer.concat(Object.entries(lists).map(([name, networks]) => field(1, Buffer.concat([
    field(1, name),
    ...networks.map((network) => {
      const [address, bits] = network.split('/')
      return field(2, Buffer.concat([field(1, Buffer.from(address.split('.').map(Number))), field(2, Number(bits))]))
    }),
  ]))))
}
