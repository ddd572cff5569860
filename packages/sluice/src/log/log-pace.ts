import { isProxyError, type LogEntry, type LogLevel } from '@sluice/core'

/** Entries of one kind in a second. */
const MAX_OF_A_KIND = 10
const SECOND_MS = 1_000
/** Kinds in a second. Beyond it, all others are one kind. */
const MAX_KINDS = 256
const KIND_LENGTH = 80

interface Kind {
  readonly level: LogLevel
  readonly example: string
  written: number
  leftOut: number
}

/**
 * Keeps clients, or a server that is down, from filling the log: of one kind of entry, ten are written in a second, and then how many
 * were left out. Entries of level `debug` all are written: who asks for them wants them.
 */
export class LogPace {
  readonly #write: (entry: LogEntry) => void
  readonly #kinds = new Map<string, Kind>()
  #timer: NodeJS.Timeout | undefined

  constructor(write: (entry: LogEntry) => void) {
    this.#write = write
  }

  take(entry: LogEntry): void {
    if (entry.level === 'debug') return this.#write(entry)
    // The second begins with its first entry; the process does not wait for its end.
    this.#timer ??= setTimeout(() => this.flush(), SECOND_MS).unref()
    const kind = this.#kindOf(entry)
    if (kind.written === MAX_OF_A_KIND) {
      kind.leftOut++
      return
    }
    kind.written++
    this.#write(entry)
  }

  /** Ends the second: tells what was left out. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const kinds = [...this.#kinds.values()]
    this.#kinds.clear()
    for (const { level, example, leftOut } of kinds) {
      if (leftOut > 0) this.#write({ level, message: `${leftOut} more within a second were left out, like: ${example}` })
    }
  }

  #kindOf({ level, message, error }: LogEntry): Kind {
    const name = `${level} ${isProxyError(error) ? error.code : withoutNames(message)}`
    const key = this.#kinds.size < MAX_KINDS ? name : level
    const known = this.#kinds.get(name) ?? this.#kinds.get(key)
    if (known !== undefined) return known
    const kind = { level, example: message, written: 0, leftOut: 0 }
    this.#kinds.set(key, kind)
    return kind
  }
}

/** What is left of a message when what differs from one to the next is gone. */
function withoutNames(message: string): string {
  return message.slice(0, 2 * KIND_LENGTH).replace(/"[^"]*"|\S*\d\S*/g, '#').slice(0, KIND_LENGTH)
}
