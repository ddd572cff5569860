import { createScanner } from 'jsonc-parser'
import { blankHashComments } from './blank-hash-comments.js'
import { maskLines } from './mask-lines.js'

const JSON_START = /^\s*(?:(?:\/\/[^\r\n]*|\/\*[^]*?\*\/)\s*)*\{/
const SECRET_NAME = /pass|pwd|secret|token|authorization|cookie|^["']?key["']?$/i
const USER_INFO = /\/\/[^/\s]*@/

/**
 * A config's text with `*` in place of what may be a secret: the values of passwords, keys and the like, and addresses with
 * credentials. Comments become blanks. Every position stays what it was.
 *
 * What starts as JSON is read by tokens, anything else by lines. JSON is not read by values, for this serves above all where the
 * syntax is broken. So what follows a name like `pass` is masked to the next comma or closing bracket, quoted or not; rather too
 * much is masked than too little.
 */
export function maskSecrets(text: string): string {
  return JSON_START.test(blankHashComments(text)) ? maskTokens(text) : maskLines(text)
}

function maskTokens(text: string): string {
  const json = blankHashComments(text)
  const scanner = createScanner(json)
  let masked = ''
  let depth: number | undefined
  for (scanner.scan(); scanner.getTokenOffset() < json.length; scanner.scan()) {
    const token = json.slice(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength())
    if (/^\/[/*]/.test(token)) masked += token.replace(/[^\r\n]/g, ' ')
    else if (depth === undefined || /^[\s:,[\]{}]/.test(token)) masked += USER_INFO.test(token) ? starsFor(token) : token
    else masked += starsFor(token)
    depth = depthAfter(token, depth)
  }
  return masked
}

/** How deep inside a secret value the next token is; `undefined`: in none. */
function depthAfter(token: string, depth: number | undefined): number | undefined {
  if (depth === undefined) return SECRET_NAME.test(token) ? 0 : undefined
  if (token === '[' || token === '{') return depth + 1
  if (token === ']' || token === '}') return depth > 1 ? depth - 1 : undefined
  return token === ',' && depth === 0 ? undefined : depth
}

function starsFor(token: string): string {
  return '*'.repeat(token.length)
}
