import type { Http2Stream } from 'node:http2'

/** Told by its shape: Node does not export the class. */
export function isHttp2Stream(stream: object): stream is Http2Stream {
  return 'rstCode' in stream && 'close' in stream
}

/**
 * Sends RST_STREAM. What is not read yet is thrown away: if the peer's own reset crosses ours, Node closes the stream only once
 * all of it was read.
 */
export function resetHttp2Stream(stream: Http2Stream, code: number): void {
  stream.close(code)
  stream.resume()
}
