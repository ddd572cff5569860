import { isIPv6 } from 'node:net'

const LEVELS: Readonly<Record<string, readonly [v4Bits: number, v6Bits: number]>> = { quarter: [16, 32], half: [8, 16], full: [0, 0] }
const CUSTOM = /^\/(0|8|16|24|32)(?:\+\/(\d{1,3}))?$/
const IPV4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)/g
// A time of day has colons too; only what reads as an address is one.
const IPV6 = /(?<![\w:])[0-9a-f]*:[0-9a-f:]+(?:[0-9a-f.]*[0-9a-f])?(?![\w])/gi

/** What `maskAddress` may be: how much of an address stays. `/16+/32` keeps 16 bits of IPv4 and 32 of IPv6. */
export const ADDRESS_MASK = '^(quarter|half|full|/(0|8|16|24|32)(\\+/\\d{1,3})?)?$'

/** Hides the ends of IP addresses in a line, in Xray's way: `1.2.*.*` and `1234:5678::/32`, or `[Masked IPv4]` for nothing left. */
export function addressMask(setting: string | undefined): (line: string) => string {
  const [v4Bits, v6Bits] = LEVELS[setting ?? ''] ?? customBits(setting)
  if (v4Bits >= 32 && v6Bits >= 128) return (line) => line
  return (line) => line.replace(IPV4, (address) => maskV4(address, v4Bits))
    .replace(IPV6, (address) => isIPv6(address) ? maskV6(address, v6Bits) : address)
}

function customBits(setting = ''): readonly [number, number] {
  const [, v4 = '32', v6 = '128'] = CUSTOM.exec(setting) ?? []
  return [Number(v4), Number(v6)]
}

function maskV4(address: string, bits: number): string {
  if (bits === 0) return '[Masked IPv4]'
  return address.split('.').map((part, index) => index < bits / 8 ? part : '*').join('.')
}

function maskV6(address: string, bits: number): string {
  if (bits === 0) return '[Masked IPv6]'
  if (bits >= 128) return address
  const groups = groupsOf(address)
  const kept = groups.map((group, index) => group & ~(0xffff >> Math.min(16, Math.max(0, bits - index * 16))) & 0xffff)
  const last = kept.findLastIndex((group) => group !== 0)
  return `${kept.slice(0, last + 1).map((group) => group.toString(16)).join(':')}::/${bits}`
}

/** The eight groups of an address in any spelling that `isIPv6` takes. */
function groupsOf(address: string): number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [before = [], after = []] = plain.split('::')
    .map((half) => half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16)))
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after]
}
