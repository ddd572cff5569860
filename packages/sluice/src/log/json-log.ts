import { formatEndpoint, isProxyError, printable, type Context, type LogEntry } from '@sluice/core'
import { pino, stdTimeFunctions, type Logger } from 'pino'

type Levels = 'debug' | 'info' | 'warning' | 'error'

/** Writes what the text formats say as lines of JSON: `level`, `time` in ISO 8601, `msg`, and a field for each part. */
export class JsonLog {
  readonly #logger: Logger<Levels>

  constructor(write: (line: string) => void) {
    this.#logger = pino<Levels>({
      base: null,
      level: 'debug',
      timestamp: stdTimeFunctions.isoTime,
      customLevels: { debug: 20, info: 30, warning: 40, error: 50 },
      useOnlyCustomLevels: true,
      formatters: { level: (label) => ({ level: label }) },
    }, { write })
  }

  /** An ended session. */
  access({ id, source, target, inboundTag, user, record }: Context): void {
    const { establishedMs, outboundTag = '', outcome, error, attempts, server, truncated } = record
    const { uplinkBytes, downlinkBytes, durationMs = 0 } = record
    this.#logger.info({
      session: id,
      ...(source === undefined ? {} : { source: formatEndpoint(source) }),
      network: target.network,
      target: printable(formatEndpoint(target)),
      inbound: inboundTag,
      outbound: outboundTag,
      ...(user === undefined || user.name === '' ? {} : { email: printable(user.name) }),
      outcome,
      ...(isProxyError(error) ? { code: error.code } : {}),
      uplinkBytes,
      downlinkBytes,
      durationMs,
      attempts,
      ...(server === undefined ? {} : { server }),
      ...(truncated === true ? { truncated } : {}),
    }, establishedMs === undefined ? 'rejected' : 'accepted')
  }

  entry({ level, message, session, error }: LogEntry): void {
    const about = {
      ...(session === undefined ? {} : { session: session.id }),
      ...(isProxyError(error) ? { code: error.code } : {}),
      ...(error instanceof Error && !message.includes(error.message) ? { error: printable(error.message) } : {}),
    }
    this.#logger[level](about, printable(message))
  }
}
