import { createInstance, isConfigError, parsePath, type Config, type Fault, type Instance, type Module } from '@sluice/core'

/**
 * An instance of a config without its unknown keys, and a warning for each of them. In routing they stay errors: a rule that lacks
 * a condition takes sessions that were never meant for it.
 *
 * @throws {ConfigError} for every other fault.
 */
export function createLeniently(
  config: unknown, modules: readonly Module[],
): { readonly instance: Instance, readonly faults: readonly Fault[] } {
  try {
    const instance = createInstance(config as Config, { modules })
    return { instance, faults: instance.remarks }
  } catch (error) {
    if (!isConfigError(error)) throw error
    const unknown = error.faults.filter(({ message, path }) => message === 'unknown key' && !path.startsWith('routing'))
    if (unknown.length === 0) throw error
    const rest = structuredClone(config)
    for (const { path } of unknown) removeAt(rest, path)
    const instance = createInstance(rest as Config, { modules })
    const warnings = unknown.map((item): Fault => ({ ...item, severity: 'warning', message: 'is ignored: unknown key' }))
    return { instance, faults: [...warnings, ...instance.remarks] }
  }
}

function removeAt(root: unknown, path: string): void {
  const segments = parsePath(path)
  const key = segments.pop() ?? ''
  let holder = root as Record<string | number, unknown> | undefined
  for (const segment of segments) holder = holder?.[segment] as Record<string | number, unknown> | undefined
  if (holder !== undefined) Reflect.deleteProperty(holder, key)
}
