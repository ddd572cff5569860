import type { Fault, Listening, StopOptions } from '@sluice/core'
import { printFaults, type Texts } from './faults.js'
import { formatListening, formatStartBlock } from './start-block.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** An instance, or a proxy whose config can be reloaded. */
export interface Served {
  readonly listening: readonly Listening[]
  start(): Promise<unknown>
  stop(options: StopOptions): Promise<unknown>
}

export interface ServeOptions {
  /** What to say about the config. @default nothing */
  readonly remarks?: readonly Fault[]
  readonly texts?: Texts
  /** What to tell of in the start block. @default the listeners alone */
  readonly config?: unknown
  /** Say nothing when it has started. @default false */
  readonly quiet?: boolean
}

/**
 * Starts something, tells on standard error what runs, and stops it on SIGINT or SIGTERM as `untilStopped` does. Resolves when
 * everything has stopped.
 */
export async function serve(served: Served, { remarks = [], texts, config, quiet = false }: ServeOptions = {}): Promise<void> {
  printFaults(remarks, texts)
  await served.start()
  const { listening } = served
  const lines = config === undefined ? formatListening(listening) : formatStartBlock({ listening, config, remarks })
  const stopped = untilStopped(served)
  if (!quiet) process.stderr.write(`${lines.join('\n')}\n`)
  await stopped
}

/** Stops on SIGINT or SIGTERM: the first lets sessions end (at most 10 s), a second one cuts them. Resolves when it has stopped. */
export function untilStopped(served: Served): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0
    const onSignal = (signal: NodeJS.Signals): void => {
      signals++
      const stopping = served.stop(signals === 1 ? {} : { drainMs: 0 })
      if (signals > 1) return
      process.stderr.write(`sluice: ${signal}: no new sessions; waiting for those that are open, again to cut them\n`)
      const done = (): void => {
        for (const name of SIGNALS) process.off(name, onSignal)
      }
      stopping.then(() => {
        done()
        resolve()
      }, (error: unknown) => {
        done()
        reject(error as Error)
      })
    }
    for (const name of SIGNALS) process.on(name, onSignal)
  })
}
