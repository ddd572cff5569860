import { defineFeature, EVENTS, inject, injectable, SETTINGS, type Feature, type InstanceEvents, type LogLevel } from '@sluice/core'
import { addressMask } from './address-mask.js'
import { JsonLog } from './json-log.js'
import { formatAccess, formatEntry } from './log-format.js'
import { checkLog, logSchema, type LogSettings } from './log-settings.js'
import { LogPace } from './log-pace.js'
import { openLogSink, type LogSink } from './log-sink.js'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warning', 'error']

/** Writes an instance's events as lines. Its files are opened at the start and closed at the end of the instance. */
@injectable()
export class LogFeature implements Feature {
  readonly #settings: LogSettings
  readonly #events: InstanceEvents
  readonly #sinks = new Map<string, LogSink>()
  #stops: (() => void)[] = []

  constructor(@inject(SETTINGS) settings: LogSettings, @inject(EVENTS) events: InstanceEvents) {
    this.#settings = settings
    this.#events = events
  }

  /** @throws {Error} if a file cannot be opened. */
  start(): void {
    const { access = '', error = '', loglevel = 'warning' } = this.#settings
    if (access !== 'none') this.#logAccess(this.#open(access, 'stdout'))
    if (error !== 'none' && loglevel !== 'none') this.#logEntries(this.#open(error, 'stderr'), LEVELS.indexOf(loglevel))
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop()
    const sinks = [...this.#sinks.values()]
    this.#sinks.clear()
    await Promise.all(sinks.map((sink) => sink.close()))
  }

  #logAccess(sink: LogSink): void {
    const write = this.#masked(sink)
    const json = this.#json(write)
    this.#stops.push(this.#events.on('session:close', (session) => {
      if (json === undefined) write(`${formatAccess(session)}\n`)
      else json.access(session)
    }))
  }

  #logEntries(sink: LogSink, least: number): void {
    const write = this.#masked(sink)
    const json = this.#json(write)
    const pace = new LogPace((entry) => {
      if (json === undefined) write(`${formatEntry(entry, sink)}\n`)
      else json.entry(entry)
    })
    const stop = this.#events.on('log', (entry) => {
      if (LEVELS.indexOf(entry.level) >= least) pace.take(entry)
    })
    this.#stops.push(stop, () => pace.flush())
  }

  #masked(sink: LogSink): (line: string) => void {
    const mask = addressMask(this.#settings.maskAddress)
    return (line) => sink.write(mask(line))
  }

  #json(write: (line: string) => void): JsonLog | undefined {
    return this.#settings.format === 'json' ? new JsonLog(write) : undefined
  }

  /** Access and error log may share a file. */
  #open(path: string, standard: 'stdout' | 'stderr'): LogSink {
    const known = path === '' ? undefined : this.#sinks.get(path)
    if (known !== undefined) return known
    const sink = openLogSink(path, standard)
    this.#sinks.set(path === '' ? standard : path, sink)
    return sink
  }
}

/** The `log` section. Without it an instance writes nothing. */
export const logFeature = defineFeature({ section: 'log', optional: true, schema: logSchema, check: checkLog, useClass: LogFeature })
