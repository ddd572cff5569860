import { getSystemErrorMap } from 'node:util'

/** What the kernel says, in words: `connection refused`. */
export function systemErrorText(error: NodeJS.ErrnoException): string {
  const known = error.errno === undefined ? undefined : getSystemErrorMap().get(error.errno)
  return known?.[1] ?? error.code ?? error.message
}
