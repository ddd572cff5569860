import { pattern } from '../pattern.js'
import type { TargetConnection } from './target-connection.js'

/**
 * What a target does with a client:
 *
 * - `echo`: sends back what comes, and ends when the client does
 * - `banner`: speaks first, then is an echo
 * - `late-reply`: says nothing until the client's FIN; then, a little later, `late N SHA256` of what came, and ends
 * - `source`: sends that many bytes of {@link pattern} and ends; takes what comes
 * - `sink`: takes what comes, sends nothing, and ends when the client does
 * - `reset`: resets the connection at the first byte
 * - `silent`: takes what comes, sends nothing, never ends
 */
export type TargetKind = 'echo' | 'banner' | 'late-reply' | 'source' | 'sink' | 'reset' | 'silent'

export interface BehaviourOptions {
  /** What a `banner` says. @default `SSH-2.0-test` and a line end */
  readonly banner?: string
  /** How many bytes a `source` sends; `Infinity` never ends. @default 1 MiB */
  readonly bytes?: number
  /** How long a `late-reply` waits after the FIN. @default 20 */
  readonly lateMs?: number
}

type Behaviour = (connection: TargetConnection, options: BehaviourOptions) => void

const CHUNK_BYTES = 65_536

/** One way to behave for each kind. */
export const BEHAVIOURS: Readonly<Record<TargetKind, Behaviour>> = {
  echo,
  banner(connection, { banner = 'SSH-2.0-test\r\n' }) {
    connection.write(banner)
    echo(connection)
  },
  'late-reply'(connection, { lateMs = 20 }) {
    connection.read()
    connection.socket.once('end', () => {
      const timer = setTimeout(() => {
        connection.write(lateReply(connection.receivedBytes, connection.receivedSha256))
        connection.end()
      }, lateMs)
      connection.socket.once('close', () => { clearTimeout(timer) })
    })
  },
  source(connection, { bytes = 1_048_576 }) {
    connection.read()
    let position = 0
    const fill = (): void => {
      while (position < bytes) {
        const chunk = pattern(Math.min(CHUNK_BYTES, bytes - position), position)
        position += chunk.length
        if (!connection.write(chunk)) return
      }
      connection.socket.off('drain', fill)
      connection.end()
    }
    connection.socket.on('drain', fill)
    fill()
  },
  sink(connection) {
    connection.read()
    connection.socket.once('end', () => { connection.end() })
  },
  reset(connection) {
    connection.read(() => { connection.reset() })
  },
  silent(connection) {
    connection.read()
  },
}

/** What a `late-reply` target answers. */
export function lateReply(bytes: number, sha256: string): string {
  return `late ${bytes} ${sha256}`
}

function echo(connection: TargetConnection): void {
  const { socket } = connection
  connection.read((chunk) => { if (!connection.write(chunk)) socket.pause() })
  socket.on('drain', () => { socket.resume() })
  socket.once('end', () => { connection.end() })
}
