import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

const RAW = new WeakMap<Duplex, Socket>()

/** Remembers which TCP socket is under a TLS socket; Node itself does not tell. */
export function rememberRaw(tls: TLSSocket, raw: Socket): void {
  RAW.set(tls, raw)
}

/** The TCP socket under a TLS socket of this package, or a TCP socket itself; `undefined` for anything else. */
export function rawSocket(stream: Duplex): Socket | undefined {
  return RAW.get(stream) ?? (stream instanceof Socket && !(stream instanceof TLSSocket) ? stream : undefined)
}

/** Ends a connection with a TCP RST, also under TLS. A stream of another origin is destroyed. */
export function reset(stream: Duplex): void {
  const raw = rawSocket(stream)
  // The TLS socket follows by itself. To destroy it in the same tick ends Node 20 with a segmentation fault.
  if (raw === undefined || raw.destroyed) stream.destroy()
  else raw.resetAndDestroy()
}
