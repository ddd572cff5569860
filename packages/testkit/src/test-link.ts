import type { Socket } from 'node:net'
import type { Link, RequestForm } from '@sluice/core'
import { reset } from './reset.js'
import { tcpPair } from './tcp-pair.js'
import { Peer, type PeerOptions } from './upstream/peer.js'

/** An inbound's side of a session over a real TCP connection, and the client at the other end of it. */
export class TestLink implements Link {
  readonly reader: Socket
  readonly writer: Socket
  readonly client: Peer
  /** Resolves with what `open` was first given. */
  readonly whenOpened: Promise<RequestForm | undefined>
  #opens = 0
  #abortedWith: Error | undefined
  #opened: (how: RequestForm | undefined) => void = () => {}

  /** @see testLink */
  constructor(client: Peer, socket: Socket) {
    this.client = client
    this.reader = socket
    this.writer = socket
    this.whenOpened = new Promise((resolve) => { this.#opened = resolve })
  }

  get opened(): boolean {
    return this.#opens > 0
  }

  /** How often `open` was called. */
  get opens(): number {
    return this.#opens
  }

  /** What `abort` was first called with. */
  get abortedWith(): Error | undefined {
    return this.#abortedWith
  }

  open(how?: RequestForm): void {
    this.#opens += 1
    this.#opened(how)
  }

  abort(error: Error): void {
    this.#abortedWith ??= error
    reset(this.reader)
  }

  /** Destroys both ends. */
  close(): void {
    this.client.socket.destroy()
    this.reader.destroy()
  }
}

/** Makes a link whose client is a {@link Peer}. The link's socket fills to its high-water mark, as an inbound's does. */
export async function testLink(options: PeerOptions = {}): Promise<TestLink> {
  const [client, server] = await tcpPair()
  return new TestLink(new Peer(client, options), server)
}
