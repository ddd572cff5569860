import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { Writable } from 'node:stream'
import { defineFeature, EVENTS, inject, injectable, SETTINGS, type Feature, type InstanceEvents, type LogLevel } from '@sluice/core'
import { formatAccess, formatEntry } from './log-format.js'
import { checkLog, logSchema, type LogSettings } from './log-settings.js'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warning', 'error']

/** Writes an instance's events as lines. Its files are opened at the start and closed at the end of the instance. */
@injectable()
export class LogFeature implements Feature {
  readonly #settings: LogSettings
  readonly #events: InstanceEvents
  readonly #files = new Map<string, Writable>()
  #stops: (() => void)[] = []

  constructor(@inject(SETTINGS) settings: LogSettings, @inject(EVENTS) events: InstanceEvents) {
    this.#settings = settings
    this.#events = events
  }

  /** @throws {Error} if a file cannot be opened. */
  async start(): Promise<void> {
    const { access = '', error = '', loglevel = 'warning' } = this.#settings
    if (access !== 'none') {
      const out = await this.#open(access, process.stdout)
      this.#stops.push(this.#events.on('session:close', (session) => out.write(`${formatAccess(session)}\n`)))
    }
    if (error !== 'none' && loglevel !== 'none') {
      const out = await this.#open(error, process.stderr)
      const least = LEVELS.indexOf(loglevel)
      this.#stops.push(this.#events.on('log', (entry) => {
        if (LEVELS.indexOf(entry.level) >= least) out.write(`${formatEntry(entry)}\n`)
      }))
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop()
    for (const file of this.#files.values()) {
      file.end()
      await finished(file)
    }
    this.#files.clear()
  }

  /** Access and error log may share a file. */
  async #open(path: string, standard: Writable): Promise<Writable> {
    if (path === '') return standard
    const known = this.#files.get(path)
    if (known !== undefined) return known
    const file = createWriteStream(path, { flags: 'a', mode: 0o600 })
    try {
      await once(file, 'open')
    } catch (cause) {
      throw new Error(`Cannot open log file "${path}": ${(cause as Error).message}`, { cause })
    }
    // A full disk must not end the process; the line is lost and the next one tried.
    file.on('error', () => {})
    this.#files.set(path, file)
    return file
  }
}

/** The `log` section. Without it an instance writes nothing. */
export const logFeature = defineFeature({ section: 'log', optional: true, schema: logSchema, check: checkLog, useClass: LogFeature })
