import { lookup } from 'node:dns/promises'
import { ProxyError, printable, type Resolver } from '@sluice/core'
import { systemErrorText } from './system-error-text.js'

/** Resolves names as the system does (hosts file included), in the order in which the system gives the addresses. */
export class SystemResolver implements Resolver {
  async resolve(
    name: string, { family, signal }: { readonly family: 0 | 4 | 6, readonly signal: AbortSignal },
  ): Promise<readonly string[]> {
    signal.throwIfAborted()
    try {
      // A look-up in the system's own library cannot be broken off; its answer comes too late for a session that is gone.
      const found = await lookup(name, { family, all: true, verbatim: true })
      signal.throwIfAborted()
      return found.map(({ address }) => address)
    } catch (error) {
      signal.throwIfAborted()
      const why = systemErrorText(error as NodeJS.ErrnoException)
      throw new ProxyError('DNS', `Cannot resolve "${printable(name)}": ${why}`, { phase: 'dns', cause: error })
    }
  }
}
