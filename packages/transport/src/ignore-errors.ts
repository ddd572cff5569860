import type { EventEmitter } from 'node:events'

function ignore(): void {}

/**
 * Makes sure that a late `error` event of this stream does not end the process: a peer can reset a connection at any moment, also
 * when nobody looks at it any more. The listener stays for good; where there is one already, none is added.
 */
export function ignoreErrors(stream: EventEmitter): void {
  if (stream.listenerCount('error') === 0) stream.on('error', ignore)
}
