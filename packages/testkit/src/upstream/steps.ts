import type { Peer, SendOptions } from './peer.js'

/**
 * One step of a script that is written as a list:
 *
 * - `head`, `end`, `closed`: waits for an HTTP head, the FIN, the connection to be gone
 * - `fin`, `rst`, `pause`, `resume`: does that
 * - `{ send }`, `{ expect }`, `{ waitMs }`
 */
export type Step =
  | 'head' | 'end' | 'closed' | 'fin' | 'rst' | 'pause' | 'resume'
  | ({ readonly send: string | Uint8Array } & SendOptions)
  | { readonly expect: string | Uint8Array | RegExp }
  | { readonly waitMs: number }

/** Does the steps one after the other. */
export async function runSteps(peer: Peer, steps: readonly Step[]): Promise<void> {
  for (const step of steps) await runStep(peer, step)
}

function runStep(peer: Peer, step: Step): unknown {
  if (typeof step === 'object') {
    if ('send' in step) return peer.send(step.send, step)
    if ('expect' in step) return peer.expect(step.expect)
    return peer.wait(step.waitMs)
  }
  switch (step) {
    case 'head': return peer.expectHead()
    case 'end': return peer.expectEnd()
    case 'closed': return peer.closed
    case 'fin': return peer.fin()
    case 'rst': return peer.reset()
    case 'pause': return peer.pause()
    case 'resume': return peer.resume()
  }
}
