import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** How much a connection has carried so far, in bytes. */
export interface ByteCount {
  readonly bytesRead: number
  readonly bytesWritten: number
}

/**
 * The figures of a connection. A socket keeps its own. HTTP/2 streams and connection pairs keep none: theirs begin here, with a
 * count where their source pushes bytes in and their sink takes bytes out.
 */
export function byteCountOf(connection: Duplex): ByteCount {
  if (connection instanceof Socket) return connection
  const count = { bytesRead: 0, bytesWritten: 0 }
  const { push, _write: write, _writev: writev } = connection
  connection.push = (chunk: Buffer | null, encoding) => {
    count.bytesRead += chunk?.length ?? 0
    return push.call(connection, chunk, encoding)
  }
  connection._write = (chunk: Buffer, encoding, done) => {
    count.bytesWritten += chunk.length
    write.call(connection, chunk, encoding, done)
  }
  if (writev !== undefined && writev !== null) {
    connection._writev = (chunks, done) => {
      for (const { chunk } of chunks as { chunk: Buffer }[]) count.bytesWritten += chunk.length
      writev.call(connection, chunks, done)
    }
  }
  return count
}
