import type { Http2Stream } from 'node:http2'

/** Told by its shape: Node does not export the class. */
export function isHttp2Stream(stream: object): stream is Http2Stream {
  return 'rstCode' in stream && 'close' in stream
}
