import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { flushed } from '../flushed.js'
import { rawSocket, reset } from '../reset.js'
import { Inbox, quote } from './inbox.js'

export interface PeerOptions {
  /** Its place among the connections of an upstream. @default 0 */
  readonly index?: number
  /** How long each `expect…` waits. @default 5_000 */
  readonly stepMs?: number
  /** Starts without reading, so that the other end comes to feel back-pressure. @default false */
  readonly paused?: boolean
  /** Called with each head that `expectHead` reads. */
  readonly onHead?: (head: string) => void
}

export interface SendOptions {
  /** Bytes per write, each flushed before the next. @default all at once */
  readonly chunk?: number
  /** Pause between two writes. @default 0 */
  readonly gapMs?: number
}

export interface FinOptions {
  /** Under TLS: `false` sends a FIN without the alert before it, as who cuts a stream short (RFC 8446 §6.1). @default true */
  readonly closeNotify?: boolean
}

const HEAD_END = '\r\n\r\n'

/** One end of a connection that does what a test says, and remembers all that the other end did. Nothing is answered by itself. */
export class Peer {
  readonly index: number
  readonly socket: Duplex
  /** Resolves when the connection is gone, however it ended. */
  readonly closed: Promise<void>
  readonly #inbox = new Inbox()
  readonly #stepMs: number
  readonly #onHead: ((head: string) => void) | undefined
  #error: NodeJS.ErrnoException | undefined
  #ended = false

  constructor(socket: Duplex, { index = 0, stepMs = 5_000, paused = false, onHead }: PeerOptions = {}) {
    this.index = index
    this.socket = socket
    this.#stepMs = stepMs
    this.#onHead = onHead
    socket.on('error', (error) => { this.#error ??= error })
    socket.once('end', () => {
      this.#ended = true
      this.#inbox.finish('the peer ended')
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        const { code, message } = this.#error ?? {}
        this.#inbox.finish(message === undefined ? 'the connection was closed' : `the connection failed (${code ?? message})`)
        resolve()
      })
    })
    socket.on('data', (chunk: Buffer) => { this.#inbox.push(chunk) })
    // A stream that somebody paused before stays so by itself, whoever listens.
    if (paused) socket.pause()
    else socket.resume()
  }

  /** All bytes that came, in order, also those that an `expect…` took. */
  get received(): Buffer {
    return this.#inbox.bytes
  }

  /** How many bytes came. */
  get receivedBytes(): number {
    return this.#inbox.length
  }

  /** The other end sent its FIN, and all before it was read. */
  get ended(): boolean {
    return this.#ended
  }

  /** The other end reset the connection. */
  get resetByPeer(): boolean {
    return this.#error?.code === 'ECONNRESET'
  }

  /** The connection's fault, if it had one. */
  get error(): Error | undefined {
    return this.#error
  }

  /** Takes exactly these bytes, or up to the end of the match. Fails at the first byte that differs. */
  async expect(wanted: string | Uint8Array | RegExp): Promise<Buffer> {
    if (wanted instanceof RegExp) {
      return this.#inbox.take(String(wanted), this.#stepMs, (_, unread) => {
        const match = wanted.exec(unread().toString('latin1'))
        return match === null ? undefined : match.index + match[0].length
      })
    }
    const bytes = Buffer.from(wanted)
    return this.#inbox.take(quote(bytes), this.#stepMs, (available, unread) => {
      const common = Math.min(available, bytes.length)
      if (!unread().subarray(0, common).equals(bytes.subarray(0, common))) {
        throw new Error(`Cannot expect ${quote(bytes)}: got ${quote(unread())}`)
      }
      return available >= bytes.length ? bytes.length : undefined
    })
  }

  /** Takes that many bytes. */
  expectBytes(count: number): Promise<Buffer> {
    return this.#inbox.take(`${count} bytes`, this.#stepMs, (available) => (available >= count ? count : undefined))
  }

  /** Takes an HTTP head up to and with its empty line, as latin1. */
  async expectHead(): Promise<string> {
    const bytes = await this.#inbox.take('a head', this.#stepMs, (_, unread) => {
      const at = unread().indexOf(HEAD_END)
      return at < 0 ? undefined : at + HEAD_END.length
    })
    const head = bytes.toString('latin1')
    this.#onHead?.(head)
    return head
  }

  /** Waits for the FIN. Fails when bytes come before it, or the connection ends otherwise. */
  async expectEnd(): Promise<void> {
    const how = await this.#inbox.ending(this.#stepMs)
    if (this.#inbox.unread.length > 0) throw new Error(`Cannot expect the end: got ${quote(this.#inbox.unread)} before it`)
    if (!this.#ended) throw new Error(`Cannot expect the end: ${how}`)
  }

  /** Waits for a reset; bytes before it do not matter. Fails when the connection ends otherwise. */
  async expectReset(): Promise<void> {
    const how = await this.#inbox.ending(this.#stepMs)
    if (!this.resetByPeer) throw new Error(`Cannot expect a reset: ${how}`)
  }

  /** Fails when anything at all comes within that time. */
  async expectSilence(ms: number): Promise<void> {
    await sleep(ms)
    const { unread } = this.#inbox
    if (unread.length > 0) throw new Error(`Cannot expect silence: got ${quote(unread)}`)
    if (this.#ended || this.socket.destroyed) throw new Error('Cannot expect silence: the connection ended')
  }

  /** Sends, and resolves when the kernel has taken everything. */
  async send(data: string | Uint8Array, { chunk, gapMs = 0 }: SendOptions = {}): Promise<void> {
    const bytes = Buffer.from(data)
    const size = chunk ?? bytes.length
    for (let at = 0; at < bytes.length; at += size) {
      await this.#write(bytes.subarray(at, at + size))
      if (gapMs > 0) await sleep(gapMs)
    }
  }

  /** Ends this side; the other may go on. Resolves when the kernel has taken everything. */
  async fin({ closeNotify = true }: FinOptions = {}): Promise<void> {
    const stream = closeNotify ? this.socket : rawSocket(this.socket) ?? this.socket
    await new Promise<void>((resolve, reject) => {
      stream.end((error?: Error | null) => { if (error == null) resolve(); else reject(error) })
    })
  }

  /** Ends both sides with a TCP RST, once the other end has read what was sent before: see {@link flushed}. */
  async reset(): Promise<void> {
    await flushed()
    reset(this.socket)
  }

  /** Stops to read: soon the other end can no longer write. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Waits, at most until the connection is gone. */
  async wait(ms: number): Promise<void> {
    const gone = new AbortController()
    void this.closed.then(() => { gone.abort() })
    await sleep(ms, undefined, { signal: gone.signal }).catch(() => {})
  }

  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => { if (error == null) resolve(); else reject(error) })
    })
  }
}
