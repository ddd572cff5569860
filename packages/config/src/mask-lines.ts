const SECRET = /(?:pass|pwd|secret|token|authorization|cookie|(?<![a-z])key(?![a-z]))[\w-]*["']?\s*[:=]?/i
const USER_INFO = /(?<=\/\/)[^/\s]*(?=@)/g
const COMMENT = /(?:^|\s)#.*$/
const INDENT = /^[\s-]*/

/**
 * What `maskSecrets` does, for YAML, TOML, and JSON whose beginning is broken: from a secret's name on a line is masked, and so are
 * the lines below that belong to it: deeper ones, the next where none follows the name, and all up to the end of what is open.
 */
export function maskLines(text: string): string {
  let depth = 0
  let indent = Number.POSITIVE_INFINITY
  let isNext = false
  let quote: string | undefined
  return text.split(/(\r\n|\r|\n)/).map((line) => {
    if (/^[\r\n]*$/.test(line)) return line
    const own = INDENT.exec(line)?.[0].length ?? 0
    const isInside = isNext || depth > 0 || quote !== undefined || own > indent
    if (!isInside) indent = Number.POSITIVE_INFINITY
    const found = isInside ? undefined : SECRET.exec(line)
    if (!isInside && (found === null || found === undefined)) return line.replace(COMMENT, blanks).replace(USER_INFO, stars)
    const from = isInside ? 0 : (found?.index ?? 0) + (found?.[0].length ?? 0)
    const value = line.slice(from)
    if (!isInside) indent = own
    isNext = !isInside && /^[\s:=]*$/.test(value)
    if ((value.match(/"""|'''/g)?.length ?? 0) % 2 === 1) quote = quote === undefined ? 'open' : undefined
    else if (quote === undefined) depth = Math.max(0, depth + (value.match(/[[{]/g)?.length ?? 0) - (value.match(/[\]}]/g)?.length ?? 0))
    return line.slice(0, from).replace(COMMENT, blanks).replace(USER_INFO, stars) + value.replace(/[^\s]/g, '*')
  }).join('')
}

function stars(text: string): string {
  return '*'.repeat(text.length)
}

function blanks(text: string): string {
  return ' '.repeat(text.length)
}
