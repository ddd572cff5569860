const MAX_LENGTH = 256
// C0, DEL, C1, line and paragraph separators, and the controls that reorder text: each can forge or hide a log line.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Text from a peer made fit for a log line or message: control and direction characters become `?`, at most 256 characters. */
export function printable(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text
  return cut.replace(UNPRINTABLE, '?')
}
