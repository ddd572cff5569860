import { formatEndpoint, type Fault, type Instance, type StopOptions } from '@sluice/core'
import { printFaults } from './faults.js'
import { version } from './version.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export interface ServeOptions {
  /** What to say about the config. */
  readonly remarks?: readonly Fault[]
  /** Lines to print once everything listens. */
  readonly greeting?: () => readonly string[]
}

/**
 * Starts an instance, says what listens, and stops it on SIGINT or SIGTERM: the first lets sessions end (at most 10 s), a second
 * one cuts them. Resolves when everything has stopped.
 */
export async function serve(instance: Instance, { remarks = [], greeting = () => [] }: ServeOptions = {}): Promise<void> {
  printFaults(remarks)
  await instance.start()
  process.stdout.write(`${[startBlock(instance), ...greeting()].join('\n')}\n`)
  await stopsBySignal((options) => instance.stop(options))
}

function startBlock({ listening }: Instance): string {
  const lines = listening.map(({ protocol, tag, address }) => {
    const name = tag === '' ? '' : ` [${tag}]`
    return `  listening on ${formatEndpoint(address)} (${protocol})${name}`
  })
  if (lines.length === 0) lines.push('  nothing listens: the config has no inbounds')
  return [`sluice ${version}, pid ${process.pid}`, ...lines].join('\n')
}

/** Resolves when the first signal's stop is done. */
function stopsBySignal(stop: (options: StopOptions) => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0
    const onSignal = (signal: NodeJS.Signals): void => {
      signals++
      const stopping = stop(signals === 1 ? {} : { drainMs: 0 })
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
