import { RE2JS } from 're2js'
import { BadPattern } from './bad-pattern.js'

/**
 * A regular expression of RE2's syntax, which runs in linear time whatever the text.
 * @throws {BadPattern}
 */
export function expression(source: string, { ignoreCase = false } = {}): (text: string) => boolean {
  try {
    const pattern = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
    return (text) => pattern.matcher(text).find()
  } catch (error) {
    throw new BadPattern(`is no regular expression: ${(error as Error).message}`)
  }
}
