import { formatEndpoint, ProxyError, type Context, type Outbound } from '@sluice/core'

/** Refuses every session with BLOCKED before anything is dialled, so that the inbound says it to its client. */
export class BlackholeOutbound implements Outbound {
  async process({ target }: Context): Promise<void> {
    throw new ProxyError('BLOCKED', `Target ${formatEndpoint(target)} is blocked`, { side: 'internal' })
  }
}
