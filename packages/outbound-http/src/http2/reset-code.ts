import { constants } from 'node:http2'
import { ProxyError } from '@sluice/core'

/** By code, which is the place in the list (RFC 9113 §7). */
const NAMES = [
  'NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED', 'FRAME_SIZE_ERROR',
  'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM', 'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED',
]

/** The name of an error code, or its number. */
export function codeName(code: number): string {
  return NAMES[code] ?? `code ${code}`
}

/** What an RST_STREAM before the answer means (RFC 9113 §7, §8.5, §8.7). */
export function resetError(rstCode: number, server: string): ProxyError {
  const name = codeName(rstCode)
  const options = { phase: 'connect', server } as const
  switch (rstCode) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return new ProxyError('REFUSED', `Server ${server} did not process the request (${name})`, options)
    case constants.NGHTTP2_CONNECT_ERROR:
      return new ProxyError('STATUS', `Server ${server} cannot reach the target (${name})`, options)
    case constants.NGHTTP2_HTTP_1_1_REQUIRED:
      return new ProxyError('REFUSED', `Server ${server} wants HTTP/1.1 for this request (${name})`, options)
    case constants.NGHTTP2_NO_ERROR:
    case constants.NGHTTP2_INTERNAL_ERROR:
    case constants.NGHTTP2_CANCEL:
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new ProxyError('CLOSED', `Server ${server} reset the stream before it answered CONNECT (${name})`, options)
    default:
      return new ProxyError('PROTO', `Server ${server} reset the stream as if we had broken the protocol (${name})`, options)
  }
}
