import { createInstance, isConfigError, type Config, type Fault, type Module } from '../src/index.js'

/** All that is wrong with a config: the faults for which it is refused, or the remarks on one that is taken. */
export function faultsOf(config: unknown, modules: readonly Module[]): readonly Fault[] {
  try {
    return createInstance(config as Config, { modules }).remarks
  } catch (error) {
    if (isConfigError(error)) return error.faults
    throw error
  }
}

/** The same, each on a line. */
export function faultLines(config: unknown, modules: readonly Module[]): string[] {
  return faultsOf(config, modules).map(({ severity, path, message, hint }) =>
    `${severity === 'error' ? '' : `${severity} `}${path}: ${message}${hint === undefined ? '' : ` (${hint})`}`)
}
