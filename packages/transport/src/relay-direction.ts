import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { SessionRecord } from '@sluice/core'
import { BULK_READ_BYTES, BulkFlow } from './bulk-flow.js'
import type { FlowOwner } from './flow-owner.js'
import { howEnded } from './how-ended.js'
import { isHttp2Stream } from './http2-stream.js'
import { RecordFlow } from './record-flow.js'
import { rounds, Share } from './rounds.js'
import { isTcpSocket } from './tcp-socket.js'
import { TurnCollector } from './turn-collector.js'

/** A full record of TLS (RFC 8446 §5.1), or a full frame of HTTP/2 (RFC 9113 §4.2): more are likely to come within the turn. */
const FULL_RECORD_BYTES = 16 << 10

/** Who is told what becomes of a direction. */
export interface DirectionOwner {
  /** The source has ended in order, though perhaps without close_notify. */
  sourceEnded(direction: RelayDirection, truncated: boolean): void
  /** The source emitted an end that stands for a reset. */
  sourceReset(direction: RelayDirection): void
  /** All that was written has left, and so has the end. */
  sinkFinished(): void
}

/** Who has sent so many chunks is likely to send more. */
const MANY_CHUNKS = 16

/**
 * One way of a session: hands what its source yields to its sink, no faster than the sink takes it, and counts it.
 *
 * It begins with plain `data` events. A direction that moves much, or often, goes on with reads that allocate nothing; what
 * TLS and HTTP/2 yield in one turn of the event loop is written to a TCP socket in one piece. Those take turns with each other.
 *
 * It decides nothing: when to pass an end on, to stop or to give up is its owner's business. So is the failure of a stream.
 */
export class RelayDirection implements FlowOwner {
  readonly source: Readable
  readonly sink: Writable
  /** Nothing more comes from the source: it ended, or was stopped. */
  ended = false
  /** Nothing more goes to the sink, and all that did is flushed or given up. */
  flushed = false
  /** When bytes last moved, by the monotonic clock. */
  movedAt = performance.now()
  /** Bytes that were taken, or could not leave, and reach nobody. */
  lostBytes = 0
  readonly #record: SessionRecord
  readonly #counter: 'uplinkBytes' | 'downlinkBytes'
  readonly #owner: DirectionOwner
  #blocked = false
  #finishing = false
  /** Whether the end, if it came now, would be emitted at once. */
  #prompt = false
  /** Its part in the rounds, once it moves much. */
  #share: Share | undefined
  /** Reads for it, in place of `data` events. */
  #flow: BulkFlow | RecordFlow | undefined
  #collector: TurnCollector | undefined
  #chunks = 0

  constructor(source: Readable, sink: Writable, record: SessionRecord, counter: 'uplinkBytes' | 'downlinkBytes', owner: DirectionOwner) {
    this.source = source
    this.sink = sink
    this.#record = record
    this.#counter = counter
    this.#owner = owner
  }

  /** Whether the sink has not taken all that there is for it, so that the source is not heard. */
  get heldUp(): boolean {
    return !this.ended && !this.flushed && this.sink.writableLength > 0
  }

  /** Whether the source was destroyed before its end. */
  get cutAtSource(): boolean {
    return this.source.destroyed && !this.ended && !this.source.readableEnded
  }

  /** Whether the sink was destroyed before all had left. */
  get cutAtSink(): boolean {
    return this.sink.destroyed && !this.flushed
  }

  start(): void {
    if (this.source.readableEnded) return this.#onEnd()
    this.#prompt = isEndToCome(this.source)
    this.source.on('data', this.#onData).on('end', this.#onEnd)
    this.sink.on('drain', this.taken)
    // It is paused, by whoever read the head of the session.
    this.source.resume()
  }

  /** Passes the end on, behind all that was written. Idempotent. */
  finish(): void {
    if (this.#finishing || this.flushed) return
    this.#finishing = true
    this.sink.end(this.#onFinished)
  }

  /** Takes nothing more from the source. */
  stop(): void {
    this.ended = true
    this.#collector?.flush()
    this.#unhear()
    this.source.pause()
  }

  /** The sink is gone: what the source still yields is thrown away, and no longer counts as traffic. */
  discard(): void {
    this.lostBytes = this.sink.writableLength + (this.#collector?.usedBytes ?? 0)
    this.flushed = true
    this.#collector?.close()
    if (this.ended) return
    this.source.off('data', this.#onData).on('data', this.#onDiscarded)
    this.#flow?.discard()
    this.source.resume()
  }

  /** Leaves both streams as they are. */
  release(): void {
    this.ended = true
    this.#collector?.close()
    this.#unhear()
    this.sink.off('drain', this.taken)
  }

  moved(bytes: number): boolean {
    this.movedAt = performance.now()
    this.#record[this.#counter] += bytes
    return this.#share === undefined || rounds.spend(this.#share, bytes)
  }

  lost(bytes: number): void {
    this.lostBytes += bytes
  }

  hold(): void {
    this.#blocked = true
    this.source.pause()
  }

  park(): void {
    this.source.pause()
  }

  readonly taken = (): void => {
    if (!this.#blocked) return
    this.#blocked = false
    this.movedAt = performance.now()
    if (this.#share !== undefined) rounds.ready(this.#share)
    this.#goOn()
  }

  readonly #goOn = (): void => {
    if (this.ended || this.flushed || this.#blocked || this.#share?.parked === true) return
    this.#prompt = isEndToCome(this.source)
    this.source.resume()
  }

  #unhear(): void {
    this.source.off('data', this.#onData).off('data', this.#onDiscarded).off('end', this.#onEnd)
    this.#flow?.close()
  }

  /** A chunk that is not ours to keep. */
  readonly #onRecord = (chunk: Buffer): void => {
    const mayGoOn = this.moved(chunk.length)
    if (!this.#collect(chunk)) this.#write(Buffer.from(chunk))
    if (!mayGoOn) this.park()
  }

  readonly #onData = (chunk: Buffer): void => {
    const mayGoOn = this.moved(chunk.length)
    if (!this.#collect(chunk)) this.#write(chunk)
    if (!mayGoOn) this.park()
    if (this.#flow !== undefined || this.#collector !== undefined) return
    if (chunk.length >= FULL_RECORD_BYTES || ++this.#chunks >= MANY_CHUNKS) this.#speedUp(chunk.length)
  }

  /** Small ones go on at once, as long as nothing is before them. */
  #collect(chunk: Buffer): boolean {
    const collector = this.#collector
    return collector !== undefined && (chunk.length >= FULL_RECORD_BYTES || collector.usedBytes > 0) && collector.push(chunk)
  }

  #write(chunk: Buffer): void {
    // Told to wait, one need not where the kernel has taken all.
    if (!this.sink.write(chunk) && this.sink.writableLength > 0) this.hold()
  }

  /** It may move much: what can be done about that depends on both streams. */
  #speedUp(bytes: number): void {
    const { source, sink } = this
    if (source.readableLength > 0) return
    if (isTcpSocket(source)) {
      const isBulk = bytes >= BULK_READ_BYTES
      if (!letsGo(sink) || !(isBulk || this.#chunks >= MANY_CHUNKS)) return
      const bulk = new BulkFlow(source, sink, this)
      if (!bulk.start(isBulk)) return
      this.#flow = bulk
    } else if (isTcpSocket(sink)) {
      this.#collector = new TurnCollector(sink, this)
      if (source instanceof TLSSocket) this.#flow = new RecordFlow(source, this.#onRecord, this)
    } else return
    if (isTcpSocket(sink)) this.#share = new Share(this.#goOn)
    // Held up until now by the stream, from now on by the handle.
    if (this.#blocked) source.pause()
  }

  readonly #onEnd = (): void => {
    const ending = howEnded(this.source, this.#prompt)
    if (ending === 'reset') return this.#owner.sourceReset(this)
    this.ended = true
    this.#collector?.flush()
    this.#owner.sourceEnded(this, ending === 'truncated')
  }

  readonly #onFinished = (error?: Error | null): void => {
    // A stream that fails before it is flushed tells so by its own events. One that somebody else had ended before is flushed.
    if (error && !this.sink.writableFinished) return
    this.flushed = true
    this.#owner.sinkFinished()
  }

  readonly #onDiscarded = (chunk: Buffer): void => {
    this.lostBytes += chunk.length
  }
}

/** Whether bytes that the sink says it has taken may be overwritten. One end of a pair hands the very bytes on. */
function letsGo(sink: Writable): boolean {
  return sink instanceof Socket || isHttp2Stream(sink)
}

/** Whether the end has not arrived yet. Not public in Node; where it cannot be asked, it counts as arrived. */
function isEndToCome(source: Readable): boolean {
  return (source as unknown as { readonly _readableState?: { readonly ended?: boolean } })._readableState?.ended === false
}
