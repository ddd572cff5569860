import { RequestRefusal } from './request-refusal.js'

/** The first line of a request (RFC 9112 §3). `target` is visible ASCII in whatever form the client chose. */
export interface RequestLine {
  /** Case-sensitive. */
  readonly method: string
  readonly target: string
  /** A later minor version is read as 1.1 (RFC 9110 §2.5). */
  readonly version: '1.0' | '1.1'
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP\/([0-9])\.([0-9])$/

/**
 * Reads a request line without its line end. Exactly one space between its parts: what else could be read in two ways is refused.
 * @throws {RequestRefusal} 400, or 505 for another major version.
 */
export function parseRequestLine(line: string): RequestLine {
  const match = REQUEST_LINE.exec(line)
  if (match === null) {
    throw new RequestRefusal(400, 'PROTO', 'The request line is malformed', 'it is METHOD, one space, target, one space, HTTP/1.1')
  }
  const [, method = '', target = '', major, minor] = match
  if (major !== '1') throw new RequestRefusal(505, 'PROTO', `HTTP/${major}.${minor} is not spoken here`, 'use HTTP/1.1')
  return { method, target, version: minor === '0' ? '1.0' : '1.1' }
}
