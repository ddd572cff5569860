import type { Duplex, Readable, Writable } from 'node:stream'
import { ProxyError, type Connection, type Link, type Policy, type SessionRecord, type Side } from '@sluice/core'
import { reset } from '../reset.js'
import type { OutboundFault } from './outbound-faults.js'

export interface BrokenRelayOptions {
  readonly record: SessionRecord
  readonly policy: Policy
  readonly signal: AbortSignal
  /** Most are not the relay's. */
  readonly fault: OutboundFault | undefined
}

/** Moves bytes as the contract says, in the plainest way, but for its fault. */
export function brokenRelay(link: Link, connection: Connection, { record, policy, signal, fault }: BrokenRelayOptions): Promise<void> {
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
      if (fault === 'ends cleanly') {
        link.writer.end()
        connection.end()
        return reject(error)
      }
      if (fault !== 'stays open') reset(connection as Duplex)
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
        if (fault === 'loses late bytes' && ended.downstream) return
        count(fault === 'counts wrong' ? chunk.length + 1 : chunk.length)
        if (!to.write(chunk) && fault !== 'floods') from.pause()
      })
      listen(to, 'drain', () => { from.resume() })
      listen(from, 'end', () => {
        ended[side] = true
        moved = performance.now()
        if (fault === 'forgets half-close' && side === 'downstream') return
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
    if (fault === 'leaves a timer') setTimeout(() => {}, 60_000)
    if (fault !== 'leaks a listener') undo.push(() => { signal.removeEventListener('abort', onAbort) })
    direction(link.reader, connection, 'downstream', (bytes) => { record.uplinkBytes += bytes })
    direction(connection, link.writer, 'upstream', (bytes) => { record.downlinkBytes += bytes })
  })
}
