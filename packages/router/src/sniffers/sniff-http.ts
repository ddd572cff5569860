import type { Sniffed } from '@sluice/core'
import { sniffedName } from './sniffed-name.js'

const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', 'PATCH', 'TRACE'] as const
const VERSION = / HTTP\/1\.\d$/

/**
 * Recognises the head of an HTTP/1 request (RFC 9112 §3) and the name in its Host field. The method and each line that is
 * complete are checked, so that another protocol is given up early.
 */
export function sniffHttp(head: Buffer): Sniffed | 'more' | undefined {
  const first = head.subarray(0, 8).toString('latin1')
  if (!METHODS.some((method) => first.startsWith(`${method} `) || `${method} `.startsWith(first))) return undefined
  let start = 0
  for (let line = 0; ; line++) {
    const end = head.indexOf(0x0a, start)
    if (end === -1) return 'more'
    const text = head.toString('latin1', start, head[end - 1] === 0x0d ? end - 1 : end)
    start = end + 1
    if (line === 0) {
      if (!VERSION.test(text)) return undefined
      continue
    }
    if (text === '') return { protocol: 'http' }
    const colon = text.indexOf(':')
    if (colon <= 0) return undefined
    if (text.slice(0, colon).toLowerCase() !== 'host') continue
    return { protocol: 'http', ...sniffedName(text.slice(colon + 1).trim().replace(/:\d{0,5}$/, '')) }
  }
}
