import type { Readable, Writable } from 'node:stream'
import type { SessionRecord } from '@sluice/core'
import { howEnded } from './how-ended.js'

/** Who is told what becomes of a direction. */
export interface DirectionOwner {
  /** The source has ended in order, though perhaps without close_notify. */
  sourceEnded(direction: RelayDirection, truncated: boolean): void
  /** The source emitted an end that stands for a reset. */
  sourceReset(direction: RelayDirection): void
  /** All that was written has left, and so has the end. */
  sinkFinished(): void
}

/**
 * One way of a session: hands what its source yields to its sink, no faster than the sink takes it, and counts it.
 *
 * It decides nothing: when to pass an end on, to stop or to give up is its owner's business. So is the failure of a stream.
 */
export class RelayDirection {
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
    this.sink.on('drain', this.#onDrain)
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
    this.source.off('data', this.#onData).off('data', this.#onDiscarded).off('end', this.#onEnd)
    this.source.pause()
  }

  /** The sink is gone: what the source still yields is thrown away, and no longer counts as traffic. */
  discard(): void {
    this.lostBytes = this.sink.writableLength
    this.flushed = true
    if (this.ended) return
    this.source.off('data', this.#onData).on('data', this.#onDiscarded)
    this.source.resume()
  }

  /** Leaves both streams as they are. */
  release(): void {
    this.source.off('data', this.#onData).off('data', this.#onDiscarded).off('end', this.#onEnd)
    this.sink.off('drain', this.#onDrain)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.movedAt = performance.now()
    this.#record[this.#counter] += chunk.length
    if (this.sink.write(chunk)) return
    this.#blocked = true
    this.source.pause()
  }

  readonly #onDrain = (): void => {
    if (!this.#blocked) return
    this.#blocked = false
    this.movedAt = performance.now()
    if (this.ended) return
    this.#prompt = isEndToCome(this.source)
    this.source.resume()
  }

  readonly #onEnd = (): void => {
    const ending = howEnded(this.source, this.#prompt)
    if (ending === 'reset') return this.#owner.sourceReset(this)
    this.ended = true
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

/** Whether the end has not arrived yet. Not public in Node; where it cannot be asked, it counts as arrived. */
function isEndToCome(source: Readable): boolean {
  return (source as unknown as { readonly _readableState?: { readonly ended?: boolean } })._readableState?.ended === false
}
