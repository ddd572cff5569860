import type { Condition, RoutingFacts } from './condition.js'

type PortRange = readonly [first: number, last: number]

const MAX_PORT = 65_535

/**
 * Reads v2ray's list of ports: a number, or text as `53,443,1000-2000`.
 * @returns `undefined` where it is no such list.
 */
export function parsePorts(list: number | string): PortRange[] | undefined {
  const ranges: PortRange[] = []
  for (const part of String(list).split(',')) {
    const [, first, last = first] = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(part) ?? []
    if (first === undefined || Number(last) < Number(first) || Number(last) > MAX_PORT) return undefined
    ranges.push([Number(first), Number(last)])
  }
  return ranges
}

/** @param portOf What is compared: the target's port, or the client's. */
export function portCondition(key: string, ranges: readonly PortRange[], portOf: (facts: RoutingFacts) => number | undefined): Condition {
  return {
    key,
    matches(facts) {
      const port = portOf(facts)
      return port !== undefined && ranges.some(([first, last]) => port >= first && port <= last)
    },
  }
}
