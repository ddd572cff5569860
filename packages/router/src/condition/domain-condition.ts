import { NO_GEO_DATA, type GeoData } from '../geodata/geo-data.js'
import { BadPattern } from './bad-pattern.js'
import type { Condition } from './condition.js'
import { expression } from './expression.js'

const FORMS = 'full, domain, keyword, regexp, dotless, geosite, ext, and plain text'

/** Whether a name, in lower case and without a dot at its end, is meant. */
export type NameMatcher = (name: string) => boolean

/**
 * Names of the target by v2ray's forms. An address has none, and no rule on names takes it.
 *
 * @throws {BadPattern}
 */
export function domainCondition(key: string, values: readonly string[], data?: GeoData): Condition {
  const isMeant = nameMatcher(values, { data: data ?? NO_GEO_DATA })
  return { key, matches: ({ name }) => name !== undefined && isMeant(name) }
}

/**
 * v2ray's forms of names: `full:`, `domain:` (and what is below it), `keyword:` anywhere in the name, `dotless:`, `regexp:`,
 * `geosite:LIST@attribute`, `ext:FILE:LIST@attribute`. Case does not count. Whole names and suffixes cost the same however many
 * there are; expressions run in linear time, whatever the name.
 *
 * @param options.plain What text without a form means. @default keyword
 * @throws {BadPattern}
 */
export function nameMatcher(
  values: readonly string[], options: { readonly data?: GeoData, readonly plain?: 'keyword' | 'full' } = {},
): NameMatcher {
  const { data = NO_GEO_DATA, plain = 'keyword' } = options
  const names = new Set<string>()
  const suffixes = new Set<string>()
  const matchers: NameMatcher[] = []
  const add = (form: string, text: string): void => {
    const lower = text.toLowerCase()
    switch (form) {
      case 'keyword': matchers.push((name) => name.includes(lower)); break
      case 'full': names.add(lower); break
      case 'domain': suffixes.add(lower); break
      case 'dotless': matchers.push((name) => !name.includes('.') && name.includes(lower)); break
      case 'regexp': matchers.push(expression(text, { ignoreCase: true })); break
      case 'geosite': addList('geosite.dat', text); break
      case 'ext': case 'ext-domain': addList(...fileAndList(text)); break
      default: throw new BadPattern(`has an unknown form "${form}:"; known are ${FORMS}`)
    }
  }
  const addList = (file: string, text: string): void => {
    const [list = '', ...wanted] = text.toLowerCase().split('@')
    if (list === '') throw new BadPattern('names no list')
    for (const { form, text: entry, attributes } of data.domains(file, list)) {
      if (wanted.every((attribute) => attributes.includes(attribute))) add(form, entry)
    }
  }
  for (const value of values) {
    const [, form = plain, text = ''] = /^(?:([a-z-]+):)?(.*)$/s.exec(value.trim()) ?? []
    add(form, text)
  }
  return (name) => names.has(name) || hasSuffix(name, suffixes) || matchers.some((matcher) => matcher(name))
}

/** Reads `FILE:LIST`. @throws {BadPattern} */
export function fileAndList(text: string): [file: string, list: string] {
  const [, file, list] = /^([^:]+):([^:]+)$/.exec(text) ?? []
  if (file === undefined || list === undefined) throw new BadPattern('is not written as ext:FILE:LIST')
  return [file, list]
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
