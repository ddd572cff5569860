import { constants, type ClientHttp2Stream } from 'node:http2'

/** Why a tunnel was cut; each error is made only when it is needed. */
export interface CutReasons {
  /** The session is lost, and the tunnel with it; `undefined`: it is not. */
  lost(): Error | undefined
  /** The tunnel was reset. */
  reset(): Error
}

/** Where a stream is reset, Node would send END_STREAM first, and some codes never: from now on RST_STREAM is all that goes. */
export function resetWithoutEnd(stream: ClientHttp2Stream): void {
  const { _final: endInOrder } = stream
  stream._final = (done) => {
    if (stream.closed) done()
    else endInOrder.call(stream, done)
  }
}

/**
 * Makes an HTTP/2 stream end as what it is, in both directions (RFC 9113 §8.5). To be called once, before anybody else listens.
 *
 * Node tells of RST_STREAM(CANCEL), RST_STREAM(NO_ERROR) and a lost connection as of an end in order: here each is an `error`. For our
 * own resets see `resetWithoutEnd`.
 */
export function tellCuts(stream: ClientHttp2Stream, why: CutReasons): void {
  const { close, push, _destroy: destroy } = stream
  let isOurs = false
  let hasNoEnd = false
  const whyCut = (): Error | undefined => {
    if (stream.readableEnded && stream.writableFinished) return undefined
    const isReset = !isOurs && stream.closed && (hasNoEnd || stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR)
    return why.lost() ?? (isReset ? why.reset() : undefined)
  }
  // Node destroys some streams without an error, and they emit `end` …
  stream._destroy = (error, done) => destroy.call(stream, error ?? whyCut() ?? null, done)
  // … and others not before somebody has read all that came. In the midst of this event it would be too early.
  stream.once('aborted', () => process.nextTick(() => stream.destroy()))
  // Node ends what it closes, also where our side had ended and no END_STREAM came; that one is told before the close.
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk !== null || !stream.closed || isOurs || hasReadEnd(stream)) return push.call(stream, chunk, encoding)
    hasNoEnd = true
    process.nextTick(() => stream.destroy())
    return false
  }
  stream.close = (code, callback) => {
    // With both ends there is nothing left to reset, but what nobody reads would keep the stream, and its slot, for good.
    if (stream.closed) stream.destroy()
    else {
      isOurs = true
      close.call(stream, code, callback)
    }
  }
}

/** Whether END_STREAM was seen, though perhaps not all before it was read. Not public in Node; where it cannot be asked, it was. */
function hasReadEnd(stream: ClientHttp2Stream): boolean {
  return (stream as unknown as { readonly _readableState?: { readonly ended?: boolean } })._readableState?.ended !== false
}
