import type { ProxyError } from '@sluice/core'

const NOTHING = Buffer.alloc(0)

/** A client that is not served: `cause` says why, and `answer` is the last that it is told in its own protocol. */
export class SocksRefusal extends Error {
  override readonly name = 'SocksRefusal'
  override readonly cause: ProxyError
  /** Empty where the protocol has no words for it. */
  readonly answer: Buffer

  constructor(cause: ProxyError, answer: Buffer = NOTHING) {
    super(cause.message)
    this.cause = cause
    this.answer = answer
  }
}
