import { BlockList, isIP } from 'node:net'
import { UsageError } from './proxy-url.js'

type Test = (host: string, port: number) => boolean

/**
 * Whether a target is one of those: `example.com` is that name alone, `*.example.com` all below it, `.example.com` both; addresses and
 * CIDR blocks are targets given by their address. A port behind it narrows it down.
 *
 * @throws {UsageError} for an entry that cannot be read.
 */
export function hostPatterns(entries: readonly string[], option: string): Test {
  const tests = entries.map((entry) => testOf(entry, option))
  return (host, port) => tests.some((test) => test(host.toLowerCase().replace(/\.$/, ''), port))
}

function testOf(entry: string, option: string): Test {
  const bracketed = /^\[(?<host>[^\]]+)\](?::(?<port>\d+))?$/.exec(entry)?.groups
  const plain = /^(?<host>[^:]+)(?::(?<port>\d+))?$/.exec(entry)?.groups
  const { host = entry, port } = bracketed ?? plain ?? {}
  const isHost = isIP(host.replace(/\/.*$/, '')) === 0 ? nameTest(host.toLowerCase(), entry, option) : addressTest(host, entry, option)
  return (target, targetPort) => (port === undefined || Number(port) === targetPort) && isHost(target)
}

function nameTest(pattern: string, entry: string, option: string): (host: string) => boolean {
  if (pattern === '*') return () => true
  const { mark, name = '' } = /^(?<mark>\*?\.)?(?<name>[^*/:\s]+)$/.exec(pattern)?.groups ?? {}
  if (name === '') throw new UsageError(`Cannot read ${option} "${entry}": write a name, *.name, an address or a CIDR block`)
  return (host) => (mark !== '*.' && host === name) || (mark !== undefined && host.endsWith(`.${name}`))
}

function addressTest(pattern: string, entry: string, option: string): (host: string) => boolean {
  const [address = '', bits] = pattern.split('/')
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
  const most = family === 'ipv4' ? 32 : 128
  const prefix = Number(bits ?? most)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > most) throw new UsageError(`Cannot read ${option} "${entry}": no such block`)
  const block = new BlockList()
  block.addSubnet(address, prefix, family)
  return (host) => isIP(host) !== 0 && block.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')
}
