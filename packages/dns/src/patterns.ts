import { BlockList, isIP } from 'node:net'

/** Makes tests of the values that `hosts`, `domains` and `expectIPs` hold. What it throws reads on after the value. */
export interface Patterns {
  /** Names, in lower case and without a dot at their end. @throws {Error} with a `hint`, where there is one */
  names(values: readonly string[], plain: 'full' | 'keyword'): (name: string) => boolean
  /** IP literals. @throws {Error} with a `hint`, where there is one */
  addresses(values: readonly string[]): (address: string) => boolean
}

type NameTest = (name: string) => boolean

/** `full:`, `domain:`, `keyword:` and plain text; addresses and CIDR. Expressions and data files are @sluice/router's. */
export const plainPatterns: Patterns = {
  names(values, plain) {
    const tests = values.map((value) => nameTest(value, plain))
    return (name) => tests.some((test) => test(name))
  },
  addresses(values) {
    const list = new BlockList()
    for (const value of values) addTo(list, value)
    return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  },
}

function nameTest(value: string, plain: string): NameTest {
  const [, form = plain, text = ''] = /^(?:([a-z-]+):)?(.*)$/s.exec(value) ?? []
  const wanted = text.toLowerCase()
  switch (form) {
    case 'full': return (name) => name === wanted
    case 'domain': return (name) => name === wanted || name.endsWith(`.${wanted}`)
    case 'keyword': return (name) => name.includes(wanted)
    default: throw new Error(`has the form "${form}:", which is not known without the patterns of @sluice/router`)
  }
}

function addTo(list: BlockList, value: string): void {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  if (version === 0 || Number(bits ?? 0) > most) throw new Error('is neither an IP address nor a CIDR')
  list.addSubnet(address, Number(bits ?? most), version === 4 ? 'ipv4' : 'ipv6')
}
