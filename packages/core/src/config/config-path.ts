/** One step into a config: the key of an object, or the index of a list; `"0"` is a key, `0` an index. */
export type PathSegment = string | number

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
const SEGMENT = /(?:^|(?!^)\.)([A-Za-z_$][\w$]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y

/** Writes a place in a config as people do: `outbounds[0].settings.servers[1].port`, `policy.levels["0"].handshake`. */
export function formatPath(segments: readonly PathSegment[]): string {
  return segments.map((segment, index) => {
    if (typeof segment === 'number') return `[${segment}]`
    if (!IDENTIFIER.test(segment)) return `[${JSON.stringify(segment)}]`
    return index === 0 ? segment : `.${segment}`
  }).join('')
}

/** Reads what `formatPath` wrote; any name may stand in brackets and quotes. @throws {SyntaxError} for any other text. */
export function parsePath(path: string): PathSegment[] {
  const segments: PathSegment[] = []
  const pattern = new RegExp(SEGMENT)
  while (pattern.lastIndex < path.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(path)
    if (match === null) throw new SyntaxError(`Cannot read config path "${path}" at character ${at}`)
    const [, name, index, quoted] = match
    if (name !== undefined) segments.push(name)
    else if (index !== undefined) segments.push(Number(index))
    else segments.push(JSON.parse(quoted as string) as string)
  }
  return segments
}
