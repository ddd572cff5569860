import type { Connection } from '@sluice/core'
import { deadline } from './deadline.js'

const LINGER_MS = 10_000
const LINGER_BYTES = 1_048_576

/**
 * Says a last word and ends a connection; resolves when it is closed.
 *
 * What the client still sends is read and dropped, for a socket that is closed over unread bytes sends an RST, and that can take
 * the last word from the client. After 10 s or 1 MiB of it the connection is destroyed.
 */
export function hangUp(connection: Connection, lastWord: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    if (connection.destroyed) return resolve()
    let leftBytes = LINGER_BYTES
    const cancel = deadline(LINGER_MS, () => connection.destroy())
    const drop = (chunk: Buffer): void => {
      leftBytes -= chunk.length
      if (leftBytes < 0) connection.destroy()
    }
    connection.on('data', drop).once('close', () => {
      cancel()
      connection.off('data', drop)
      resolve()
    })
    connection.end(lastWord)
    connection.resume()
  })
}
