import { isObject, objectsOf, type At, type Loose, type Rewriting } from './rewriting.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** What stands in for a variable that is not set, so that one fault is told of it and not two. */
const STAND_INS: Readonly<Record<string, unknown>> = { port: 1, address: 'env.invalid', listen: '127.0.0.1' }

/** Puts the values of environment variables in the place of `env:NAME`, where ports and addresses are written. */
export function readEnvironment(rewriting: Rewriting, root: Loose, env: Environment): void {
  for (const [index, inbound] of objectsOf(root['inbounds'])) readFrom(rewriting, inbound, ['listen', 'port'], ['inbounds', index], env)
  for (const [index, { settings }] of objectsOf(root['outbounds'])) {
    if (!isObject(settings)) continue
    const at = ['outbounds', index, 'settings']
    readFrom(rewriting, settings, ['address', 'port'], at, env)
    for (const [name, servers] of Object.entries(settings)) {
      if (name.toLowerCase() !== 'servers') continue
      for (const [server, one] of objectsOf(servers)) readFrom(rewriting, one, ['address', 'port'], [...at, name, server], env)
    }
  }
}

/** Modules spell their keys right later on. */
function readFrom(rewriting: Rewriting, object: Loose, keys: readonly string[], at: At, env: Environment): void {
  for (const [key, value] of Object.entries(object)) {
    const known = key.toLowerCase()
    const name = typeof value === 'string' && keys.includes(known) ? /^env:(.+)$/.exec(value)?.[1] : undefined
    if (name === undefined) continue
    const set = env[name]
    if (set === undefined) rewriting.say([...at, key], `names the environment variable "${name}", which is not set`, 'error')
    rewriting.draft.replace(object, key, set ?? STAND_INS[known])
  }
}
