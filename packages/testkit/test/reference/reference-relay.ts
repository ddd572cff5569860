import type { Duplex, Readable, Writable } from 'node:stream'
import { ProxyError, type Connection, type Link, type Policy, type SessionRecord, type Side } from '@sluice/core'
import { reset } from '../../src/index.js'

export interface ReferenceRelayOptions {
  readonly record: SessionRecord
  readonly policy: Policy
  readonly signal: AbortSignal
  /** A client's end is not passed on. */
  readonly forgetsHalfClose: boolean
  /** What cuts a session looks like an end in order. */
  readonly endsCleanly: boolean
  /** Writes without regard to back-pressure. */
  readonly floods: boolean
  /** Leaves a listener on the signal behind. */
  readonly leavesListener: boolean
  /** Leaves a timer behind. */
  readonly leavesTimer: boolean
}

/** Moves bytes as the contract says, in the plainest way: what the suites are tried on. */
export function referenceRelay(link: Link, connection: Connection, options: ReferenceRelayOptions): Promise<void> {
  const { record, policy, signal, endsCleanly } = options
  return new Promise((resolve, reject) => {
    const undo: (() => void)[] = []
    const ended = { downstream: false, upstream: false }
    let moved = performance.now()

    const listen = (stream: Readable | Writable, event: string, listener: (...values: never[]) => void): void => {
      stream.on(event, listener as () => void)
      undo.push(() => stream.off(event, listener as () => void))
    }
    const stop = (): void => { for (const each of undo) each() }
    const cut = (error: unknown): void => {
      stop()
      for (const side of [link.reader, link.writer, connection]) side.on('error', () => {})
      if (endsCleanly) {
        link.writer.end()
        connection.end()
        return reject(error)
      }
      reset(connection as Duplex)
      link.abort(error as Error)
      reject(error)
    }
    const finish = (outcome: 'closed' | 'idle'): void => {
      stop()
      record.outcome = outcome
      for (const side of [link.reader, connection]) side.on('error', () => {}).destroy()
      resolve()
    }

    const direction = (from: Readable, to: Writable, side: Side & keyof typeof ended, count: (bytes: number) => void): void => {
      listen(from, 'data', (chunk: Buffer) => {
        moved = performance.now()
        count(chunk.length)
        if (!to.write(chunk) && !options.floods) from.pause()
      })
      listen(to, 'drain', () => { from.resume() })
      listen(from, 'end', () => {
        ended[side] = true
        moved = performance.now()
        if (options.forgetsHalfClose && side === 'downstream') return
        to.end(() => { if (ended.downstream && ended.upstream) finish('closed') })
      })
      listen(from, 'close', () => {
        if (!from.readableEnded) cut(new ProxyError('ABORT', 'The tunnel was cut', { side, phase: 'relay', cause: from.errored }))
      })
      from.resume()
    }

    const look = setInterval(() => {
      const idleMs = performance.now() - moved
      if (ended.upstream ? idleMs >= policy.uplinkOnlyMs : ended.downstream && idleMs >= policy.downlinkOnlyMs) finish('closed')
      else if (idleMs >= policy.connIdleMs) finish('idle')
    }, 20)
    undo.push(() => { clearInterval(look) })
    const onAbort = (): void => { cut(signal.reason) }
    signal.addEventListener('abort', onAbort)
    if (options.leavesTimer) setTimeout(() => {}, 60_000)
    if (!options.leavesListener) undo.push(() => { signal.removeEventListener('abort', onAbort) })
    direction(link.reader, connection, 'downstream', (bytes) => { record.uplinkBytes += bytes })
    direction(connection, link.writer, 'upstream', (bytes) => { record.downlinkBytes += bytes })
  })
}
