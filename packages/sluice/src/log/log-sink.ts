import { openSync } from 'node:fs'
import { once } from 'node:events'
import { destination } from 'pino'

/** Where lines go. */
export interface LogSink {
  write(line: string): void
  /** Whether a person looks at it who wants colours. */
  readonly hasColours: boolean
  close(): Promise<void>
}

const NAMES: Readonly<Record<string, 'stdout' | 'stderr'>> = { '/dev/stdout': 'stdout', '/dev/stderr': 'stderr' }

/**
 * Opens a log file to append to it, or standard output or error by their names. Each line is written before `write` returns, so that
 * nothing is lost however the process ends.
 *
 * @throws {Error} if the file cannot be opened.
 */
export function openLogSink(path: string, standard: 'stdout' | 'stderr'): LogSink {
  const name = path === '' ? standard : NAMES[path]
  return name === undefined ? fileSink(path) : standardSink(process[name])
}

function standardSink(stream: NodeJS.WriteStream): LogSink {
  return {
    write: (line) => void stream.write(line),
    hasColours: stream.isTTY && (process.env['NO_COLOR'] ?? '') === '',
    close: () => Promise.resolve(),
  }
}

function fileSink(path: string): LogSink {
  const file = destination({ dest: openLogFile(path), sync: true })
  // A full disk must not end the process; the line waits for the next one.
  file.on('error', () => {})
  return {
    write: (line) => void file.write(line),
    hasColours: false,
    async close() {
      const closed = once(file, 'close')
      file.end()
      await closed
    },
  }
}

function openLogFile(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (cause) {
    throw new Error(`Cannot open log file "${path}": ${(cause as Error).message}`, { cause })
  }
}
