import type { Destination } from '@sluice/core'

/** Where to go in place of a target; what is absent is kept of the target. */
export interface Redirect {
  readonly host?: string
  readonly port?: number
}

const FORM = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/

/** Reads `host:port`, `:port` or `host:0`. @returns `undefined` for any other text. */
export function parseRedirect(text: string): Redirect | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  if (port > 65_535 || (host === '' && port === 0)) return undefined
  return { ...(host === '' ? {} : { host }), ...(port === 0 ? {} : { port }) }
}

export function redirected(target: Destination, { host = target.host, port = target.port }: Redirect): Destination {
  return { ...target, host, port }
}
