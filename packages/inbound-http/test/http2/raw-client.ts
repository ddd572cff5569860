import type { Duplex } from 'node:stream'
import { FLAG, FRAME, FrameWriter, until, type Frame, type HeaderField } from '@sluice/testkit'

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HEAD_BYTES = 9

/**
 * The client's end of an HTTP/2 connection, frame by frame: Node's own client neither shows nor sends all of them. Nothing is
 * answered by itself.
 */
export class RawClient extends FrameWriter {
  readonly frames: Frame[] = []
  ended = false
  #unread: Buffer = Buffer.alloc(0)

  constructor(socket: Duplex) {
    super(socket)
    socket.on('data', (chunk: Buffer) => this.#push(chunk)).once('end', () => { this.ended = true })
  }

  /** Preface and SETTINGS. */
  hello(): void {
    this.raw(PREFACE)
    this.settings()
    this.settingsAck()
  }

  connect(streamId: number, authority = 'target.test:443', fields: readonly HeaderField[] = []): void {
    this.headers(streamId, [[':method', 'CONNECT'], [':authority', authority], ...fields])
  }

  of(streamId: number, type: keyof typeof FRAME): Frame[] {
    return this.frames.filter((frame) => frame.streamId === streamId && frame.type === FRAME[type])
  }

  /** The payload of a stream so far. */
  received(streamId: number): string {
    return Buffer.concat(this.of(streamId, 'DATA').map(({ payload }) => payload)).toString()
  }

  /** END_STREAM came. */
  hasEnd(streamId: number): boolean {
    const last = [...this.of(streamId, 'HEADERS'), ...this.of(streamId, 'DATA')]
    return last.some(({ flags }) => (flags & FLAG.END_STREAM) !== 0)
  }

  /** Code of the RST_STREAM that came. */
  rstCode(streamId: number): number | undefined {
    return this.of(streamId, 'RST_STREAM')[0]?.payload.readUInt32BE(0)
  }

  /** Code of the GOAWAY that came. */
  get goawayCode(): number | undefined {
    return this.of(0, 'GOAWAY')[0]?.payload.readUInt32BE(4)
  }

  async expectReset(streamId: number): Promise<number | undefined> {
    await until(() => this.rstCode(streamId) !== undefined, `RST_STREAM ${streamId}`)
    return this.rstCode(streamId)
  }

  /** Waits for the answer; `true`: it is a 200, by its place in the static table of HPACK. */
  async isOpened(streamId: number): Promise<boolean> {
    await until(() => this.of(streamId, 'HEADERS').length > 0, `HEADERS ${streamId}`)
    return this.of(streamId, 'HEADERS')[0]?.payload.includes(0x88) === true
  }

  #push(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#unread, chunk])
    while (bytes.length >= HEAD_BYTES && bytes.length >= HEAD_BYTES + bytes.readUIntBE(0, 3)) {
      const end = HEAD_BYTES + bytes.readUIntBE(0, 3)
      const [type, flags] = [bytes.readUInt8(3), bytes.readUInt8(4)]
      this.frames.push({ type, flags, streamId: bytes.readUInt32BE(5), payload: bytes.subarray(HEAD_BYTES, end) })
      bytes = bytes.subarray(end)
    }
    this.#unread = bytes
  }
}
