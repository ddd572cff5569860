import { formatFault, type Fault } from '@sluice/core'

/** Writes faults to standard error, one line each in the order of the file, and how many errors there were. */
export function printFaults(faults: readonly Fault[]): void {
  for (const item of [...faults].sort(byPosition)) process.stderr.write(`${item.severity}: ${formatFault(item)}\n`)
  const errors = faults.filter(({ severity }) => severity === 'error').length
  if (errors > 0) process.stderr.write(`sluice: cannot use this config: ${errors} ${errors === 1 ? 'error' : 'errors'}\n`)
}

function byPosition(a: Fault, b: Fault): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
}
