import { ProxyError, type ProxyErrorCode } from '@sluice/core'

const NOTHING = Buffer.alloc(0)

/** A client that made no request which can be dispatched: `cause` says why. */
export class SocksRefusal extends Error {
  override readonly name = 'SocksRefusal'
  override readonly cause: ProxyError
  /** The last that the client is told, in its own protocol; empty where that has no words for it. */
  readonly answer: Buffer

  constructor(code: ProxyErrorCode, message: string, answer: Buffer = NOTHING) {
    super(message)
    this.cause = new ProxyError(code, message, { side: 'downstream', phase: 'handshake' })
    this.answer = answer
  }
}
