import { FLAG, FRAME, type Frame } from './frame-codec.js'
import type { RawHttp2Peer } from './raw-http2-peer.js'

const DEFAULT_WINDOW_BYTES = 65_535
const INITIAL_WINDOW_SIZE = 4
const MAX_FRAME_BYTES = 16_384
/** Beyond this much unsent, the socket is left alone until it has drained. */
const MAX_QUEUED_BYTES = 1_048_576

interface Queue {
  readonly chunks: Buffer[]
  window: number
  isEnding: boolean
}

/** Sends payload in many streams of a connection as the client's windows allow (RFC 9113 §5.2): a frame for each in turn. */
export class SendWindows {
  readonly #peer: RawHttp2Peer
  readonly #queues = new Map<number, Queue>()
  #window = DEFAULT_WINDOW_BYTES
  #initialWindow = DEFAULT_WINDOW_BYTES
  #isFull = false

  constructor(peer: RawHttp2Peer) {
    this.#peer = peer
    peer.watch((frame) => this.#onFrame(frame))
    peer.socket.on('drain', () => {
      this.#isFull = false
      this.#pump()
    })
    for (const frame of peer.frames) this.#onFrame(frame)
  }

  /** Bytes that wait for a window or for the socket. */
  get waitingBytes(): number {
    let bytes = 0
    for (const { chunks } of this.#queues.values()) for (const chunk of chunks) bytes += chunk.length
    return bytes
  }

  /** Sends payload behind what was given before. */
  send(streamId: number, bytes: Buffer, isLast = false): void {
    const queue = this.#queue(streamId)
    if (bytes.length > 0) queue.chunks.push(bytes)
    queue.isEnding ||= isLast
    this.#pump()
  }

  /** Drops what waits in a stream that is no more. */
  drop(streamId: number): void {
    this.#queues.delete(streamId)
  }

  #queue(streamId: number): Queue {
    const known = this.#queues.get(streamId)
    if (known !== undefined) return known
    const queue: Queue = { chunks: [], window: this.#initialWindow, isEnding: false }
    this.#queues.set(streamId, queue)
    return queue
  }

  #onFrame({ type, flags, streamId, payload }: Frame): void {
    if (type === FRAME.HEADERS) this.#queue(streamId)
    if (type === FRAME.RST_STREAM) this.drop(streamId)
    if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) this.#onSettings(payload)
    if (type === FRAME.WINDOW_UPDATE) {
      const increment = payload.readUInt32BE(0)
      if (streamId === 0) this.#window += increment
      else this.#queue(streamId).window += increment
      this.#pump()
    }
  }

  #onSettings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue
      const initial = payload.readUInt32BE(at + 2)
      for (const queue of this.#queues.values()) queue.window += initial - this.#initialWindow
      this.#initialWindow = initial
    }
    // Wider windows may be used only behind our acknowledgement (RFC 9113 §6.5.3).
    queueMicrotask(() => this.#pump())
  }

  #pump(): void {
    for (let sent = true; sent && !this.#isFull;) {
      sent = false
      for (const [streamId, queue] of this.#queues) sent = this.#sendOne(streamId, queue) || sent
      this.#isFull = this.#peer.socket.writableLength > MAX_QUEUED_BYTES
    }
  }

  #sendOne(streamId: number, queue: Queue): boolean {
    const [chunk] = queue.chunks
    const size = Math.min(chunk?.length ?? 0, MAX_FRAME_BYTES, queue.window, this.#window)
    if (chunk === undefined ? !queue.isEnding : size <= 0) return false
    if (chunk === undefined || size === chunk.length) queue.chunks.shift()
    else queue.chunks[0] = chunk.subarray(size)
    queue.window -= size
    this.#window -= size
    const endStream = queue.isEnding && queue.chunks.length === 0
    if (endStream) this.#queues.delete(streamId)
    this.#peer.data(streamId, chunk?.subarray(0, size) ?? Buffer.alloc(0), { endStream })
    return true
  }
}
