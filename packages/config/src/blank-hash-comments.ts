// In turn: a string (JSON's end with their line), a comment of either kind that may hold a '#', and a '#' comment.
export const PIECE = /"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"?|\/\/[^\r\n]*|\/\*[\s\S]*?(?:\*\/|$)|#[^\r\n]*/g

/** Puts blanks in place of `#` comments, which v2ray's configs have and JSONC does not know. Every position stays what it was. */
export function blankHashComments(text: string): string {
  return text.replace(PIECE, (piece) => (piece.startsWith('#') ? ' '.repeat(piece.length) : piece))
}
