import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { reset } from '../reset.js'

/** What a target saw of one client. */
export class TargetConnection {
  readonly socket: Socket
  /** How many bytes the kernel has taken from the target. */
  sentBytes = 0
  #receivedBytes = 0
  #ended = false
  #closed = false
  #error: NodeJS.ErrnoException | undefined
  readonly #hash = createHash('sha256')

  constructor(socket: Socket) {
    this.socket = socket
    socket.once('end', () => { this.#ended = true })
    socket.once('close', () => { this.#closed = true })
    socket.on('error', (error) => { this.#error ??= error })
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** SHA-256 of what came so far, as hexadecimal digits. */
  get receivedSha256(): string {
    return this.#hash.copy().digest('hex')
  }

  /** The client's FIN came. */
  get ended(): boolean {
    return this.#ended
  }

  /** The connection is gone. */
  get closed(): boolean {
    return this.#closed
  }

  get resetByPeer(): boolean {
    return this.#error?.code === 'ECONNRESET'
  }

  /** Starts to read, counts, and calls with each chunk. */
  read(onChunk: (chunk: Buffer) => void = () => {}): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.#receivedBytes += chunk.length
      this.#hash.update(chunk)
      onChunk(chunk)
    })
  }

  /** Writes and counts. @returns `false` when the target had better wait for `drain`. */
  write(bytes: Buffer | string): boolean {
    return this.socket.write(bytes, (error) => { if (error == null) this.sentBytes += Buffer.byteLength(bytes) })
  }

  end(): void {
    this.socket.end()
  }

  reset(): void {
    reset(this.socket)
  }
}
