import type { Duplex } from 'node:stream'
import { encodeFrame, FLAG, FRAME, type Frame, type FrameName } from './frame-codec.js'
import { encodeFields, type HeaderField } from './hpack.js'

const SETTING_IDS = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const

/** Values of SETTINGS by name (RFC 9113 §6.5.2, RFC 8441 §3). */
export type Http2Settings = { readonly [name in keyof typeof SETTING_IDS]?: number }

/** SETTINGS by name, or by number where order, repetition or unknown ones matter. */
export type SettingList = Http2Settings | readonly (readonly [id: number, value: number])[]

export interface HeadersOptions {
  readonly endStream?: boolean
  /** `false`: CONTINUATION frames are to follow. @default true */
  readonly endHeaders?: boolean
  /** Bytes of padding; absent: not padded. */
  readonly padding?: number
}

export interface DataOptions {
  readonly endStream?: boolean
  /** Bytes of padding; absent: not padded. */
  readonly padding?: number
}

/** Writes HTTP/2 frames as they are asked for: legal ones as well as others, in any order, without minding windows. */
export class FrameWriter {
  readonly socket: Duplex

  constructor(socket: Duplex) {
    this.socket = socket
  }

  /** Any bytes at all. @returns Whether more may be written at once, as of a Node stream. */
  raw(bytes: string | Uint8Array): boolean {
    return this.socket.writable && this.socket.write(bytes)
  }

  /** Any frame. @param frame `type` by name or number; what is absent is 0 or empty. */
  frame(frame: Partial<Omit<Frame, 'type'>> & { readonly type: FrameName | number }): boolean {
    const type = typeof frame.type === 'string' ? FRAME[frame.type] : frame.type
    const [head, payload] = encodeFrame({ ...frame, type })
    if (payload.length === 0) return this.raw(head)
    this.socket.cork()
    this.raw(head)
    const hasRoom = this.raw(payload)
    this.socket.uncork()
    return hasRoom
  }

  settings(settings: SettingList = {}): void {
    const entries = isList(settings) ? settings : Object.entries(settings).map(([name, value]) => [settingId(name), value] as const)
    const payload = Buffer.alloc(entries.length * 6)
    entries.forEach(([id, value], index) => {
      payload.writeUInt16BE(id, index * 6)
      payload.writeUInt32BE(value, index * 6 + 2)
    })
    this.frame({ type: 'SETTINGS', payload })
  }

  settingsAck(): void {
    this.frame({ type: 'SETTINGS', flags: FLAG.ACK })
  }

  headers(streamId: number, fields: readonly HeaderField[], { endStream = false, endHeaders = true, padding }: HeadersOptions = {}): void {
    const flags = (endStream ? FLAG.END_STREAM : 0) | (endHeaders ? FLAG.END_HEADERS : 0) | (padding === undefined ? 0 : FLAG.PADDED)
    this.frame({ type: 'HEADERS', streamId, flags, payload: padded(encodeFields(fields), padding) })
  }

  continuation(streamId: number, fields: readonly HeaderField[], { endHeaders = true }: Pick<HeadersOptions, 'endHeaders'> = {}): void {
    this.frame({ type: 'CONTINUATION', streamId, flags: endHeaders ? FLAG.END_HEADERS : 0, payload: encodeFields(fields) })
  }

  data(streamId: number, bytes: string | Uint8Array, { endStream = false, padding }: DataOptions = {}): boolean {
    const flags = (endStream ? FLAG.END_STREAM : 0) | (padding === undefined ? 0 : FLAG.PADDED)
    return this.frame({ type: 'DATA', streamId, flags, payload: padded(asBuffer(bytes), padding) })
  }

  rst(streamId: number, code: number): void {
    this.frame({ type: 'RST_STREAM', streamId, payload: uint32(code) })
  }

  goaway(lastStreamId: number, code = 0, debug = ''): void {
    this.frame({ type: 'GOAWAY', payload: Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from(debug)]) })
  }

  ping(payload: Uint8Array = Buffer.alloc(8), { ack = false }: { readonly ack?: boolean } = {}): boolean {
    return this.frame({ type: 'PING', flags: ack ? FLAG.ACK : 0, payload: asBuffer(payload) })
  }

  /** @param streamId 0: of the connection. */
  windowUpdate(streamId: number, increment: number): void {
    this.frame({ type: 'WINDOW_UPDATE', streamId, payload: uint32(increment) })
  }

  pushPromise(streamId: number, promisedId: number, fields: readonly HeaderField[]): void {
    const payload = Buffer.concat([uint32(promisedId), encodeFields(fields)])
    this.frame({ type: 'PUSH_PROMISE', streamId, flags: FLAG.END_HEADERS, payload })
  }
}

function settingId(name: string): number {
  return SETTING_IDS[name as keyof Http2Settings]
}

function isList(settings: SettingList): settings is readonly (readonly [number, number])[] {
  return Array.isArray(settings)
}

function asBuffer(bytes: string | Uint8Array): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function padded(content: Buffer, padding: number | undefined): Buffer {
  return padding === undefined ? content : Buffer.concat([Buffer.of(padding), content, Buffer.alloc(padding)])
}
