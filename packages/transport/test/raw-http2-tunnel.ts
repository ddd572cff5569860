import { once } from 'node:events'
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { until } from '@sluice/testkit'

const PREFACE_BYTES = 24
const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const
const END_STREAM = 1
const END_HEADERS = 4
/** `:status: 200` by its index in the static table of HPACK. */
const STATUS_200 = Buffer.of(0x88)

/**
 * The far end of one tunnel over HTTP/2, frame by frame: Node's own server never sends what the wicked and the dying do.
 * It grants no more window than the 64 KiB to begin with, and takes none into account.
 */
export class RawHttp2Tunnel implements AsyncDisposable {
  readonly session: ClientHttp2Session
  readonly stream: ClientHttp2Stream
  readonly socket: Socket
  /** Bytes of DATA that came. */
  received = ''
  /** END_STREAM came. */
  ended = false
  /** The code of the RST_STREAM that came. */
  rstCode: number | undefined
  readonly #close: () => void

  constructor(session: ClientHttp2Session, stream: ClientHttp2Stream, socket: Socket, close: () => void) {
    this.session = session
    this.stream = stream
    this.socket = socket
    this.#close = close
  }

  data(text: string, { endStream = false } = {}): void {
    this.#send(FRAME.data, endStream ? END_STREAM : 0, Buffer.from(text))
  }

  reset(code: number): void {
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(code)
    this.#send(FRAME.reset, 0, payload)
  }

  /** Answers the request. */
  respond(): void {
    this.#send(FRAME.headers, END_HEADERS, STATUS_200)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy()
    this.socket.destroy()
    this.#close()
    await until(() => this.session.destroyed && this.socket.destroyed, 'the session to be closed')
  }

  take(type: number, flags: number, payload: Buffer): void {
    if (type === FRAME.settings && flags === 0) this.socket.write(frame(FRAME.settings, 1, 0))
    if (type === FRAME.reset) this.rstCode = payload.readUInt32BE()
    if (type !== FRAME.data) return
    this.received += payload.toString()
    if ((flags & END_STREAM) !== 0) this.ended = true
  }

  #send(type: number, flags: number, payload: Buffer): void {
    this.socket.write(frame(type, flags, 1, payload))
  }
}

function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, payload])
}

/** An open tunnel whose far end is played by a test. */
export async function rawHttp2Tunnel(): Promise<RawHttp2Tunnel> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).on('error', () => {})
  const [socket] = await once(server, 'connection') as [Socket]
  socket.on('error', () => {})
  socket.write(frame(FRAME.settings, 0, 0))
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'target.test:443' })
  stream.on('error', () => {})
  const tunnel = new RawHttp2Tunnel(session, stream, socket, () => server.close())
  let unread = Buffer.alloc(0)
  let isPreface = true
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk])
    if (isPreface && unread.length >= PREFACE_BYTES) {
      isPreface = false
      unread = unread.subarray(PREFACE_BYTES)
    }
    while (!isPreface && unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const end = 9 + unread.readUIntBE(0, 3)
      tunnel.take(unread[3] as number, unread[4] as number, unread.subarray(9, end))
      unread = unread.subarray(end)
    }
  })
  await until(() => !stream.pending, 'the request to be sent')
  tunnel.respond()
  await once(stream, 'response')
  return tunnel
}
