import { isIP } from 'node:net'

const LABEL = /^[a-z0-9_][a-z0-9_-]{0,62}$/
const MAX_LENGTH = 253

/** A name from inside a session, made fit to be a target; nothing where it is an address, or no name at all. */
export function sniffedName(text: string): { readonly domain?: string } {
  if (text.length > MAX_LENGTH + 1) return {}
  const name = text.toLowerCase().replace(/\.$/, '')
  const labels = name.split('.')
  const isName = labels.every((label) => LABEL.test(label) && !label.endsWith('-')) && isIP(name) === 0
  return isName ? { domain: name } : {}
}
