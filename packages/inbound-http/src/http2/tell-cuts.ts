import { constants, type ServerHttp2Stream } from 'node:http2'

/**
 * Makes a client's stream end as what it is, in both directions (RFC 9113 §8.5). To be called once, before anybody else listens.
 *
 * Node tells of RST_STREAM(CANCEL), RST_STREAM(NO_ERROR) and a lost connection as of an end in order, and of the former two not
 * before somebody has read all that came: here each is an `error` at once. And where our side is aborted, Node would send
 * END_STREAM first, so that the client takes a part for the whole: here RST_STREAM is all that goes.
 */
export function tellCuts(stream: ServerHttp2Stream): void {
  const { _final: endInOrder } = stream
  // In the midst of this event it would be too early: an abort of our own, too, emits it before its RST_STREAM has left.
  stream.once('aborted', () => process.nextTick(() => {
    stream.destroy(new Error(`The HTTP/2 stream was closed with code ${stream.rstCode}`))
  }))
  stream._final = (done) => {
    if (stream.closed && stream.rstCode !== constants.NGHTTP2_NO_ERROR) done()
    else endInOrder.call(stream, done)
  }
}
