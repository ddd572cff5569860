import { lookup } from 'node:dns/promises'
import type { AddressType, Answer, NameServer } from './name-server.js'

const NO_SUCH_NAME: ReadonlySet<string | undefined> = new Set(['ENOTFOUND', 'ENODATA', 'EAI_NODATA', 'EAI_NONAME'])

/** Asks the system, its hosts file included. It tells no time to live, so nothing of it is kept. */
export class SystemServer implements NameServer {
  readonly label = 'localhost'

  async query(name: string, type: AddressType, signal: AbortSignal): Promise<Answer> {
    try {
      // A look-up in the system's own library cannot be broken off; its answer comes too late for who no longer waits.
      const found = await lookup(name, { family: type === 'A' ? 4 : 6, all: true, verbatim: true })
      return { addresses: found.map(({ address }) => address), ttlSeconds: 0 }
    } catch (error) {
      signal.throwIfAborted()
      if (NO_SUCH_NAME.has((error as NodeJS.ErrnoException).code)) return { addresses: [], ttlSeconds: 0 }
      throw error
    }
  }
}
