import type { ProxyErrorCode } from '@sluice/core'

/** A request that is not served, with what to answer. The message is fit for the client: it holds no secret and no raw bytes of it. */
export class RequestRefusal extends Error {
  override readonly name = 'RequestRefusal'
  readonly status: number
  readonly code: ProxyErrorCode
  /** What the client can do about it. */
  readonly hint: string | undefined

  constructor(status: number, code: ProxyErrorCode, message: string, hint?: string) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
  }
}
