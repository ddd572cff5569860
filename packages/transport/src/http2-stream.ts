import type { Http2Stream } from 'node:http2'

/** Told by its shape: Node does not export the class. */
export function isHttp2Stream(stream: object): stream is Http2Stream {
  return 'rstCode' in stream && 'close' in stream
}

/**
 * Whether an HTTP/2 stream that emitted `end` was cut: Node reports RST_STREAM(CANCEL) and a lost session as an `end`, too.
 * Only END_STREAM is an end in order (RFC 9113 §8.5).
 */
export function wasReset(stream: object): boolean {
  return isHttp2Stream(stream) && (stream.aborted || (stream.closed && stream.rstCode !== 0))
}
