/** Types of frames by name (RFC 9113 §6). */
export const FRAME = {
  DATA: 0, HEADERS: 1, PRIORITY: 2, RST_STREAM: 3, SETTINGS: 4, PUSH_PROMISE: 5, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9,
} as const

export type FrameName = keyof typeof FRAME

/** Flags of frames. Two of them share a bit: which it is depends on the type of the frame. */
export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const

/** What a client sends before its first frame (RFC 9113 §3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

const HEAD_BYTES = 9
const MAX_STREAM_ID = 0x7fff_ffff

export interface Frame {
  /** One of `FRAME`, or any other number up to 255. */
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** The frame's bytes in two parts, so that a large payload is not copied. Nothing is checked: tests send illegal frames, too. */
export function encodeFrame(frame: Partial<Frame> & Pick<Frame, 'type'>): [head: Buffer, payload: Buffer] {
  const { type, flags = 0, streamId = 0, payload = Buffer.alloc(0) } = frame
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(streamId, 5)
  return [head, payload]
}

/** Makes frames of bytes, however these are cut. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0)

  /** @returns The frames that are complete now. */
  push(chunk: Buffer): Frame[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Frame[] = []
    for (;;) {
      if (bytes.length < HEAD_BYTES) break
      const end = HEAD_BYTES + bytes.readUIntBE(0, 3)
      if (bytes.length < end) break
      frames.push({
        type: bytes.readUInt8(3),
        flags: bytes.readUInt8(4),
        streamId: bytes.readUInt32BE(5) & MAX_STREAM_ID,
        payload: bytes.subarray(HEAD_BYTES, end),
      })
      bytes = bytes.subarray(end)
    }
    this.#rest = bytes
    return frames
  }
}

/** The payload without padding and priority, of DATA and HEADERS. */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  const isPadded = (flags & FLAG.PADDED) !== 0
  const end = payload.length - (isPadded ? payload.readUInt8(0) : 0)
  const start = (isPadded ? 1 : 0) + (type === FRAME.HEADERS && (flags & FLAG.PRIORITY) !== 0 ? 5 : 0)
  return payload.subarray(start, end)
}

/** The name of a type, or its number. */
export function frameName(type: number): string {
  const [name = `type ${type}`] = Object.entries(FRAME).find(([, value]) => value === type) ?? []
  return name
}
