import { constants } from 'node:http2'
import type { Readable, Writable } from 'node:stream'
import { ProxyError, type Connection, type Link, type Side } from '@sluice/core'
import { abort } from './abort.js'
import { whyCut } from './how-ended.js'
import { isHttp2Stream, resetHttp2Stream } from './http2-stream.js'
import { IdleLimit } from './idle-limit.js'
import { ignoreErrors } from './ignore-errors.js'
import { RelayDirection, type DirectionOwner } from './relay-direction.js'
import type { RelayOptions } from './relay-options.js'

/** The life of one relayed session: which limit holds, what the end of a direction means, and how both sides are let go. */
export class RelaySession implements DirectionOwner {
  readonly #link: Link
  readonly #connection: Connection
  /** One stream where the link is a socket, two where it is not. */
  readonly #downstream: readonly (Readable | Writable)[]
  readonly #options: RelayOptions
  readonly #resolve: () => void
  readonly #reject: (reason: unknown) => void
  readonly #uplink: RelayDirection
  readonly #downlink: RelayDirection
  readonly #limit: IdleLimit
  #settled = false
  /** The upstream was lost after the target's end: what the session rejects with if that cost the client bytes. */
  #loss: ProxyError | undefined

  constructor(link: Link, connection: Connection, options: RelayOptions, resolve: () => void, reject: (reason: unknown) => void) {
    this.#link = link
    this.#connection = connection
    this.#downstream = Object.is(link.reader, link.writer) ? [link.reader] : [link.reader, link.writer]
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#uplink = new RelayDirection(link.reader, connection, options.record, 'uplinkBytes', this)
    this.#downlink = new RelayDirection(connection, link.writer, options.record, 'downlinkBytes', this)
    this.#limit = new IdleLimit(() => Math.max(this.#uplink.movedAt, this.#downlink.movedAt), () => this.#expire())
  }

  start(): void {
    const { signal, connIdleMs } = this.#options
    for (const stream of [this.#connection, ...this.#downstream]) ignoreErrors(stream)
    if (signal.aborted) return this.#onSignal()
    signal.addEventListener('abort', this.#onSignal)
    this.#connection.on('error', this.#onUpstreamError).on('close', this.#onUpstreamClose)
    for (const stream of this.#downstream) stream.on('error', this.#onDownstreamError).on('close', this.#onDownstreamClose)
    this.#limit.start(connIdleMs)
    // What was destroyed before tells so no more. Of the upstream, what it sent before comes first.
    this.#onDownstreamClose()
    for (const direction of [this.#downlink, this.#uplink]) if (!this.#settled && !direction.ended) direction.start()
    this.#onUpstreamClose()
  }

  sourceEnded(direction: RelayDirection, truncated: boolean): void {
    const { halfClose, record } = this.#options
    if (truncated && direction === this.#downlink) record.truncated = true
    const held = direction === this.#uplink && halfClose === 'hold' && !this.#downlink.ended
    if (!held) direction.finish()
    this.#advance()
  }

  sourceReset(direction: RelayDirection): void {
    this.#fail(direction === this.#uplink ? 'downstream' : 'upstream', whyCut(direction.source))
  }

  sinkFinished(): void {
    if (!this.#settled && this.#uplink.flushed && this.#downlink.flushed) this.#complete()
  }

  /** A direction has ended: another limit holds from now on. */
  #advance(): void {
    const { connIdleMs, uplinkOnlyMs, downlinkOnlyMs } = this.#options
    if (this.#uplink.ended && this.#downlink.ended) {
      this.#uplink.finish()
      this.#limit.start(connIdleMs)
      return this.sinkFinished()
    }
    const limitMs = this.#downlink.ended ? uplinkOnlyMs : downlinkOnlyMs
    if (limitMs === 0) this.#endBoth()
    else this.#limit.start(limitMs)
  }

  #expire(): void {
    const [uplink, downlink] = [this.#uplink, this.#downlink]
    if (uplink.ended && downlink.ended) return this.#giveUp()
    const heldUp = uplink.heldUp || downlink.heldUp
    if (!uplink.ended && !downlink.ended) this.#options.record.outcome = 'idle'
    else if (heldUp && this.#waitsForSink()) return
    // Bytes that nobody took for all of connIdle will not be taken now: then it is no end in order.
    if (heldUp) this.#giveUp()
    else this.#endBoth()
  }

  /** The source of the open half is not idle, it is held up. That may last as long as an open tunnel may be idle. */
  #waitsForSink(): boolean {
    const { connIdleMs, uplinkOnlyMs, downlinkOnlyMs } = this.#options
    const leftMs = connIdleMs === 0 ? Infinity : connIdleMs - this.#limit.idleMs
    if (leftMs <= 0) return false
    this.#limit.again(Math.min(leftMs, this.#uplink.ended ? downlinkOnlyMs : uplinkOnlyMs))
    return true
  }

  #endBoth(): void {
    for (const direction of [this.#uplink, this.#downlink]) {
      if (direction.ended) continue
      direction.stop()
      direction.finish()
    }
    this.#advance()
  }

  /** Both directions have ended and are flushed. */
  #complete(): void {
    this.#settle()
    const loss = this.#connection.errored || this.#uplink.lostBytes > 0 ? this.#loss : undefined
    if (loss !== undefined && !this.#link.reader.readableEnded) this.#link.abort(loss)
    for (const stream of [this.#connection, ...this.#downstream]) letGo(stream)
    if (loss !== undefined) return this.#reject(loss)
    this.#options.record.outcome ??= 'closed'
    this.#resolve()
  }

  /** Pending bytes are given up. */
  #giveUp(): void {
    this.#settle()
    const error = this.#loss ?? new ProxyError('ABORT', 'Nothing moved in the tunnel for too long', { side: 'internal', phase: 'relay' })
    this.#abortBoth(error)
    if (this.#loss !== undefined) return this.#reject(this.#loss)
    this.#options.record.outcome ??= 'idle'
    this.#resolve()
  }

  #fail(side: Side, cause: Error): void {
    if (this.#settled) return
    const error = cut(side, cause, this.#options.record.server)
    if (side === 'upstream' && this.#downlink.ended) return this.#lose(error)
    this.#settle()
    this.#abortBoth(error)
    this.#reject(error)
  }

  /**
   * The target has ended in order, and now takes nothing more. The client still gets all that came, and an RST in its face while
   * it sends would throw away what is on the way to it (RFC 9112 §9.6). So it is heard out, within the limit that holds already.
   */
  #lose(error: ProxyError): void {
    this.#loss = error
    this.#connection.off('error', this.#onUpstreamError).off('close', this.#onUpstreamClose)
    this.#uplink.discard()
    abort(this.#connection, error)
    if (this.#uplink.ended) this.sinkFinished()
  }

  #abortBoth(error: Error): void {
    abort(this.#connection, error)
    this.#link.abort(error)
  }

  #settle(): void {
    this.#settled = true
    this.#limit.stop()
    this.#uplink.release()
    this.#downlink.release()
    this.#options.signal.removeEventListener('abort', this.#onSignal)
    this.#connection.off('error', this.#onUpstreamError).off('close', this.#onUpstreamClose)
    for (const stream of this.#downstream) stream.off('error', this.#onDownstreamError).off('close', this.#onDownstreamClose)
  }

  readonly #onSignal = (): void => {
    const reason: unknown = this.#options.signal.reason
    this.#settle()
    this.#abortBoth(reason instanceof Error ? reason : new Error('The session was cancelled', { cause: reason }))
    this.#reject(reason)
  }

  readonly #onUpstreamError = (error: Error): void => this.#fail('upstream', error)

  readonly #onDownstreamError = (error: Error): void => this.#fail('downstream', error)

  readonly #onUpstreamClose = (): void => {
    if (this.#downlink.cutAtSource || this.#uplink.cutAtSink) this.#fail('upstream', whyCut(this.#connection))
  }

  readonly #onDownstreamClose = (): void => {
    if (this.#uplink.cutAtSource) this.#fail('downstream', whyCut(this.#link.reader))
    else if (this.#downlink.cutAtSink) this.#fail('downstream', whyCut(this.#link.writer))
  }
}

/** Closes a stream that we have ended. Its peer may not have, and a half that nobody uses would keep it open. */
function letGo(stream: Readable | Writable): void {
  if (!isHttp2Stream(stream)) stream.destroy()
  else if (!stream.readableEnded) resetHttp2Stream(stream, constants.NGHTTP2_CANCEL)
}

function cut(side: Side, cause: Error, server: string | undefined): ProxyError {
  const { code } = cause as NodeJS.ErrnoException
  const message = `The ${side === 'downstream' ? 'client' : 'upstream'} cut the tunnel${code === undefined ? '' : `: ${code}`}`
  return new ProxyError('ABORT', message, { side, phase: 'relay', cause, ...(server === undefined ? {} : { server }) })
}
