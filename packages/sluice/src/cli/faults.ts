import { formatFault, type Fault } from '@sluice/core'

/** Writes faults to standard error, one line each, and how many there were. */
export function printFaults(faults: readonly Fault[]): void {
  for (const item of faults) process.stderr.write(`${item.severity}: ${formatFault(item)}\n`)
  const errors = faults.filter(({ severity }) => severity === 'error').length
  if (errors > 0) process.stderr.write(`sluice: cannot use this config: ${errors} ${errors === 1 ? 'error' : 'errors'}\n`)
}
