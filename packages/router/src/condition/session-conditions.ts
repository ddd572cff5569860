import type { Context } from '@sluice/core'
import type { Condition } from './condition.js'
import { expression } from './expression.js'

/** Who opened the session: exact names, or `regexp:`. @throws {BadPattern} */
export function userCondition(key: string, values: readonly string[]): Condition {
  const names = new Set(values)
  const tests = values.filter((value) => value.startsWith('regexp:')).map((value) => expression(value.slice('regexp:'.length)))
  return {
    key,
    matches({ session: { user } }) {
      const name = user?.name ?? ''
      return names.has(name) || (name !== '' && tests.some((test) => test(name)))
    },
  }
}

/** The protocol inside the session. Who writes `http1` or `http/1.1`, as v2ray calls it, means `http`. */
export function protocolCondition(key: string, values: readonly string[]): Condition {
  const protocols = new Set(values.map((value) => (/^http(?:1|\/1\.[01x])?$/i.test(value) ? 'http' : value.toLowerCase())))
  return { key, matches: ({ session }) => protocols.has(protocolOf(session) ?? '') }
}

/** All of these expressions hold for the request: `:method`, `:path` without its query, or a header's name. @throws {BadPattern} */
export function attributeCondition(key: string, attributes: Readonly<Record<string, string>>): Condition {
  const tests = Object.entries(attributes).map(([name, source]) => [name.toLowerCase(), expression(source)] as const)
  return {
    key,
    matches: ({ session }) => tests.every(([name, test]) => {
      const value = attributeOf(session, name)
      return value !== undefined && test(value)
    }),
  }
}

function protocolOf({ http, sniffed }: Context): string | undefined {
  return http === undefined ? sniffed?.protocol : 'http'
}

function attributeOf({ http }: Context, name: string): string | undefined {
  if (name === ':method') return http?.method
  if (name === ':path') return http?.path.split('?', 1)[0]
  return http?.headers.find(([header]) => header.toLowerCase() === name)?.[1]
}
