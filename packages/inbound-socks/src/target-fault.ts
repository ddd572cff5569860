import { isIP } from 'node:net'
import { printable } from '@sluice/core'

// What no host holds (URL Standard, forbidden domain code points), and U+FFFD, which stands for bytes that are no UTF-8.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0020"#%/:<>?@[\\\]^`{|}\u007f-\u009f\ufffd]/

/** What is wrong with a target that a client sent, or nothing. A name stays as it is: nobody resolves it here. */
export function targetFault(host: string, port: number): string | undefined {
  if (host === '') return 'an empty host'
  if (port === 0) return 'port 0'
  return isIP(host) === 0 && FORBIDDEN.test(host) ? `host "${printable(host)}"` : undefined
}
