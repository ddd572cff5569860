import { RE2JS } from 're2js'
import type { Condition } from './condition.js'

type Matcher = (name: string) => boolean

/** A value of `domain` that cannot be used, and why. */
export class BadDomainPattern extends Error {}

/**
 * Names by v2ray's forms: plain text anywhere in the name, `full:`, `domain:` (and what is below it), `keyword:`, `dotless:`,
 * `regexp:`. Case does not count. Expressions run in linear time, whatever the name.
 *
 * @throws {BadDomainPattern}
 */
export function domainCondition(key: string, values: readonly string[]): Condition {
  const names = new Set<string>()
  const suffixes = new Set<string>()
  const matchers: Matcher[] = []
  for (const value of values) {
    const [, form, text] = /^(?:([a-z]+):)?(.*)$/s.exec(value.trim()) ?? []
    const lower = (text ?? '').toLowerCase()
    switch (form) {
      case undefined: case 'keyword': matchers.push((name) => name.includes(lower)); break
      case 'full': names.add(lower); break
      case 'domain': suffixes.add(lower); break
      case 'dotless': matchers.push((name) => !name.includes('.') && name.includes(lower)); break
      case 'regexp': matchers.push(expression(text ?? '')); break
      default: throw new BadDomainPattern(unsupported(form))
    }
  }
  return {
    key,
    matches({ session }) {
      const name = session.target.host.toLowerCase().replace(/\.$/, '')
      return names.has(name) || hasSuffix(name, suffixes) || matchers.some((matcher) => matcher(name))
    },
  }
}

function expression(source: string): Matcher {
  try {
    const pattern = RE2JS.compile(source, RE2JS.CASE_INSENSITIVE)
    return (name) => pattern.matcher(name).find()
  } catch (error) {
    throw new BadDomainPattern(`is no regular expression: ${(error as Error).message}`)
  }
}

/** Whether a name is one of these or below one of them: as many look-ups as it has labels. */
function hasSuffix(name: string, suffixes: ReadonlySet<string>): boolean {
  if (suffixes.size === 0) return false
  for (let start = 0; ; ) {
    if (suffixes.has(name.slice(start))) return true
    const dot = name.indexOf('.', start)
    if (dot === -1) return false
    start = dot + 1
  }
}

function unsupported(form: string): string {
  if (form === 'geosite' || form === 'ext') return `needs a data file ("${form}:"), which is not supported yet`
  return `has an unknown form "${form}:"; known are full, domain, keyword, regexp, dotless, and plain text`
}
