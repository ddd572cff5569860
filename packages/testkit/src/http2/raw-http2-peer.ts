import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { reset } from '../reset.js'
import { contentOf, FLAG, FRAME, FrameDecoder, frameName, PREFACE, type Frame, type FrameName } from './frame-codec.js'
import { FrameWriter, type SettingList } from './frame-writer.js'
import { HpackDecoder } from './hpack.js'
import { requestOf, SeenStream, type Http2Request } from './seen-stream.js'

export interface RawHttp2PeerOptions {
  /** Its place among the connections of an upstream. @default 0 */
  readonly index?: number
  /** How long each `expect…` waits. @default 5_000 */
  readonly stepMs?: number
}

/**
 * The server's end of one HTTP/2 connection, frame by frame: it notes what the client sends and sends what a test says. Nothing is
 * answered by itself, no SETTINGS, no PING and no window; `answerConnects` does all that.
 */
export class RawHttp2Peer extends FrameWriter {
  readonly index: number
  /** All frames that came, in order. */
  readonly frames: readonly Frame[]
  /** All requests that came, in order. */
  readonly requests: readonly Http2Request[]
  /** Resolves when the connection is gone, however it ended. */
  readonly closed: Promise<void>
  readonly #frames: Frame[] = []
  readonly #requests: Http2Request[] = []
  readonly #streams = new Map<number, SeenStream>()
  readonly #untaken = new Set<Frame>()
  readonly #watchers = new Set<(frame: Frame) => void>()
  readonly #waiting = new Set<() => void>()
  readonly #decoder = new FrameDecoder()
  readonly #hpack = new HpackDecoder()
  readonly #stepMs: number
  #preface: Buffer = Buffer.alloc(0)
  #block: Buffer[] = []
  #takenRequests = 0
  #ending: string | undefined

  constructor(socket: Duplex, { index = 0, stepMs = 5_000 }: RawHttp2PeerOptions = {}) {
    super(socket)
    this.index = index
    this.#stepMs = stepMs
    this.frames = this.#frames
    this.requests = this.#requests
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end('the connection was closed')
        resolve()
      })
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(`the connection failed (${error.code ?? error.message})`))
    socket.once('end', () => this.#end('the client ended the connection'))
    socket.on('data', (chunk: Buffer) => this.#push(chunk))
  }

  /** How the connection ended; `undefined`: it is open. */
  get ending(): string | undefined {
    return this.#ending
  }

  /** What the client did in that stream. @throws {Error} if it made no such request. */
  stream(id: number): SeenStream {
    const stream = this.#streams.get(id)
    if (stream === undefined) throw new Error(`Cannot look at stream ${id}: the client did not open it`)
    return stream
  }

  /** Streams that the client opened and did not reset, and that were not ended from both sides as far as the client goes. */
  get openStreams(): readonly SeenStream[] {
    return [...this.#streams.values()].filter(({ hasEnded, resetCode }) => !hasEnded && resetCode === undefined)
  }

  /** Calls back with each frame to come, after it was noted. @returns Ends it. */
  watch(onFrame: (frame: Frame) => void): () => void {
    this.#watchers.add(onFrame)
    return () => void this.#watchers.delete(onFrame)
  }

  /** Begins as a server does: sends SETTINGS, waits for the client's, and acknowledges them. */
  async handshake(settings: SettingList = {}): Promise<void> {
    this.settings(settings)
    await this.expectFrame('SETTINGS', ({ flags }) => (flags & FLAG.ACK) === 0)
    this.settingsAck()
  }

  /** Takes the first frame of that type that was not taken yet, as soon as there is one. */
  expectFrame(name: FrameName, match: (frame: Frame) => boolean = () => true): Promise<Frame> {
    return this.#until(`expect ${name}`, () => {
      for (const frame of this.#untaken) {
        if (frame.type !== FRAME[name] || !match(frame)) continue
        this.#untaken.delete(frame)
        return frame
      }
      return undefined
    })
  }

  /** Takes the next request. */
  expectRequest(): Promise<Http2Request> {
    return this.#until('expect a request', () => {
      const request = this.#requests[this.#takenRequests]
      if (request !== undefined) this.#takenRequests++
      return request
    })
  }

  /** Waits for the client's RST_STREAM. @returns Its code. */
  expectReset(streamId: number): Promise<number> {
    return this.#until(`expect RST_STREAM ${streamId}`, () => this.#streams.get(streamId)?.resetCode)
  }

  /** Waits for the client's END_STREAM. @returns All payload of the stream. */
  expectEnd(streamId: number): Promise<Buffer> {
    return this.#until(`expect END_STREAM ${streamId}`, () => {
      const stream = this.#streams.get(streamId)
      return stream?.hasEnded === true ? stream.data : undefined
    })
  }

  /** Waits until that much payload came in a stream. @returns All payload of the stream. */
  expectData(streamId: number, bytes: number): Promise<Buffer> {
    return this.#until(`expect ${bytes} bytes of DATA in stream ${streamId}`, () => {
      const stream = this.#streams.get(streamId)
      return stream !== undefined && stream.bytes >= bytes ? stream.data : undefined
    })
  }

  /** Neither reads nor writes any more, as a stopped process; the connection stays open. */
  silence(): void {
    this.socket.pause()
    // A write that is never completed keeps those behind it.
    this.socket.cork()
  }

  /** Ends this side with a FIN. */
  fin(): void {
    this.socket.end()
  }

  /** Ends both sides with a TCP RST. */
  reset(): void {
    reset(this.socket)
  }

  /** Waits, at most until the connection is gone. */
  async wait(ms: number): Promise<void> {
    const gone = new AbortController()
    void this.closed.then(() => gone.abort())
    await sleep(ms, undefined, { signal: gone.signal }).catch(() => {})
  }

  #push(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(this.#afterPreface(chunk))) this.#take(frame)
    } catch (error) {
      this.#end((error as Error).message)
      reset(this.socket)
    }
    this.#changed()
  }

  #afterPreface(chunk: Buffer): Buffer {
    const missing = PREFACE.length - this.#preface.length
    if (missing === 0) return chunk
    this.#preface = Buffer.concat([this.#preface, chunk.subarray(0, missing)])
    if (!PREFACE.subarray(0, this.#preface.length).equals(this.#preface)) throw new Error('the client sent no HTTP/2 preface')
    return chunk.subarray(missing)
  }

  #take(frame: Frame): void {
    this.#frames.push(frame)
    this.#untaken.add(frame)
    const { type, flags, streamId, payload } = frame
    const isLast = (flags & FLAG.END_STREAM) !== 0
    if (type === FRAME.HEADERS || type === FRAME.CONTINUATION) this.#takeBlock(frame)
    if (type === FRAME.DATA) this.#streams.get(streamId)?.took(contentOf(frame), isLast)
    if (type === FRAME.RST_STREAM) this.#streams.get(streamId)?.wasReset(payload.readUInt32BE(0))
    for (const watch of this.#watchers) watch(frame)
  }

  #takeBlock(frame: Frame): void {
    const first = frame.type === FRAME.HEADERS ? frame : undefined
    this.#block.push(first === undefined ? frame.payload : contentOf(frame))
    if ((frame.flags & FLAG.END_HEADERS) === 0) return
    const fields = this.#hpack.decode(Buffer.concat(this.#block))
    this.#block = []
    const request = requestOf(frame.streamId, fields, (frame.flags & FLAG.END_STREAM) !== 0)
    this.#requests.push(request)
    this.#streams.set(frame.streamId, new SeenStream(request))
  }

  #end(how: string): void {
    this.#ending ??= how
    this.#changed()
  }

  #changed(): void {
    for (const look of this.#waiting) look()
  }

  #until<T>(what: string, test: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#waiting.delete(look)
        clearTimeout(timer)
        finish()
      }
      const look = (): void => {
        const result = test()
        if (result !== undefined) settle(() => resolve(result))
        else if (this.#ending !== undefined) settle(() => reject(new Error(`Cannot ${what}: ${this.#ending} after ${this.#told()}`)))
      }
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`Cannot ${what} within ${this.#stepMs} ms: got ${this.#told()}`)))
      }, this.#stepMs)
      this.#waiting.add(look)
      look()
    })
  }

  /** The last frames, for messages. */
  #told(): string {
    const names = this.#frames.slice(-10).map(({ type, streamId }) => `${frameName(type)}/${streamId}`)
    return names.length === 0 ? 'nothing' : names.join(' ')
  }
}
