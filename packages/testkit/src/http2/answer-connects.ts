import { setTimeout as sleep } from 'node:timers/promises'
import { contentOf, FLAG, FRAME, type Frame } from './frame-codec.js'
import type { SettingList } from './frame-writer.js'
import type { HeaderField } from './hpack.js'
import type { RawHttp2Peer } from './raw-http2-peer.js'
import type { Http2Request } from './seen-stream.js'
import { SendWindows } from './send-windows.js'

/** The far end of a tunnel that `answerConnects` opened. */
export interface AnsweredTunnel {
  readonly peer: RawHttp2Peer
  readonly request: Http2Request
  readonly streamId: number
  /** Sends as the client's windows allow. @param isLast With END_STREAM behind it. */
  send(bytes: Buffer, isLast?: boolean): void
  /** Cuts the tunnel. */
  rst(code: number): void
}

export interface ConnectAnswers {
  /** SETTINGS to begin with. @default { maxConcurrentStreams: 100 } */
  readonly settings?: SettingList
  /** How long each request waits for its answer. @default 0 */
  readonly delayMs?: number
  /** Answers no more tunnels than these at once; later requests wait in silence for one to end, as behind Apache. @default all */
  readonly maxAnswered?: number
  /** The answer to a request; `undefined`: none is ever given. @default 200 */
  readonly status?: (request: Http2Request) => number | undefined
  /** Fields behind the status. */
  readonly fields?: readonly HeaderField[]
  /** Called with each open tunnel. */
  readonly onTunnel?: (tunnel: AnsweredTunnel) => void
  /** Called with payload, instead of sending it back. */
  readonly onData?: (tunnel: AnsweredTunnel, bytes: Buffer, isLast: boolean) => void
}

/** How much the client may send ahead, in a stream and in all of the connection. */
const WINDOW_BYTES = 16 * 1_048_576

/**
 * Behaves as a proxy does: SETTINGS, PING answered, windows credited, CONNECT answered with 200, and payload sent back.
 *
 * @returns Resolves when the connection is gone.
 */
export async function answerConnects(peer: RawHttp2Peer, answers: ConnectAnswers = {}): Promise<void> {
  const proxy = new Answering(peer, answers)
  peer.watch((frame) => proxy.onFrame(frame))
  peer.socket.once('end', () => peer.fin())
  peer.settings(answers.settings ?? { maxConcurrentStreams: 100, initialWindowSize: WINDOW_BYTES })
  peer.windowUpdate(0, WINDOW_BYTES)
  for (const frame of peer.frames) proxy.onFrame(frame)
  await peer.closed
}

class Answering {
  readonly #peer: RawHttp2Peer
  readonly #answers: ConnectAnswers
  readonly #windows: SendWindows
  readonly #tunnels = new Map<number, AnsweredTunnel>()
  readonly #waiting = new Set<number>()

  constructor(peer: RawHttp2Peer, answers: ConnectAnswers) {
    this.#peer = peer
    this.#answers = answers
    this.#windows = new SendWindows(peer)
  }

  onFrame(frame: Frame): void {
    const { type, flags, streamId, payload } = frame
    const isAck = (flags & FLAG.ACK) !== 0
    switch (type) {
      case FRAME.SETTINGS: if (!isAck) this.#peer.settingsAck(); break
      case FRAME.PING: if (!isAck) this.#peer.ping(payload, { ack: true }); break
      case FRAME.DATA: this.#onData(frame); break
      case FRAME.RST_STREAM: this.#gone(streamId); break
      case FRAME.HEADERS: case FRAME.CONTINUATION: if ((flags & FLAG.END_HEADERS) !== 0) void this.#onRequest(streamId); break
      default: break
    }
  }

  async #onRequest(streamId: number): Promise<void> {
    const { delayMs = 0 } = this.#answers
    if (delayMs > 0) await sleep(delayMs, undefined, { ref: false })
    this.#waiting.add(streamId)
    this.#answerWaiting()
  }

  #answerWaiting(): void {
    const { maxAnswered = Number.POSITIVE_INFINITY } = this.#answers
    for (const streamId of this.#waiting) {
      if (this.#tunnels.size >= maxAnswered) return
      this.#waiting.delete(streamId)
      this.#answer(streamId)
    }
  }

  #answer(streamId: number): void {
    const { status = () => 200, fields = [], onTunnel } = this.#answers
    const { request, resetCode } = this.#peer.stream(streamId)
    const answer = resetCode === undefined ? status(request) : undefined
    if (answer === undefined) return
    const isOpen = answer >= 200 && answer <= 299
    this.#peer.headers(streamId, [[':status', String(answer)], ...fields], { endStream: !isOpen })
    if (!isOpen) return
    const tunnel: AnsweredTunnel = {
      peer: this.#peer,
      request,
      streamId,
      send: (bytes, isLast = false) => this.#windows.send(streamId, bytes, isLast),
      rst: (code) => {
        this.#peer.rst(streamId, code)
        this.#gone(streamId)
      },
    }
    this.#tunnels.set(streamId, tunnel)
    onTunnel?.(tunnel)
  }

  #onData(frame: Frame): void {
    const { streamId, flags, payload } = frame
    const tunnel = this.#tunnels.get(streamId)
    const isLast = (flags & FLAG.END_STREAM) !== 0
    if (payload.length > 0) {
      this.#peer.windowUpdate(0, payload.length)
      if (!isLast) this.#peer.windowUpdate(streamId, payload.length)
    }
    if (tunnel === undefined) return
    if (this.#answers.onData === undefined) tunnel.send(contentOf(frame), isLast)
    else this.#answers.onData(tunnel, contentOf(frame), isLast)
    if (isLast) this.#gone(streamId, true)
  }

  /** Makes room for one that waits. */
  #gone(streamId: number, mayStillSend = false): void {
    if (!mayStillSend) this.#windows.drop(streamId)
    this.#waiting.delete(streamId)
    if (this.#tunnels.delete(streamId)) this.#answerWaiting()
  }
}
