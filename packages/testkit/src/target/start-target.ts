import type { Destination } from '@sluice/core'
import { listen, type ServerTls } from '../listening.js'
import { until } from '../until.js'
import { BEHAVIOURS, type BehaviourOptions, type TargetKind } from './behaviours.js'
import { TargetConnection } from './target-connection.js'

export interface TargetOptions extends BehaviourOptions {
  readonly tls?: ServerTls
  /** Reads nothing until a test resumes `connection.socket`: the client comes to feel back-pressure. @default false */
  readonly paused?: boolean
}

/** A server on loopback to which sessions go. */
export interface Target extends AsyncDisposable {
  readonly kind: TargetKind
  readonly host: string
  readonly port: number
  readonly destination: Destination
  readonly connections: readonly TargetConnection[]
  /** The connection of that index, as soon as there is one. */
  connection(index: number): Promise<TargetConnection>
  /** Destroys all connections. Idempotent. */
  close(): Promise<void>
}

/** Starts a target that behaves in one way towards every client. */
export async function startTarget(kind: TargetKind, options: TargetOptions = {}): Promise<Target> {
  const connections: TargetConnection[] = []
  const listening = await listen((socket) => {
    const connection = new TargetConnection(socket)
    connections.push(connection)
    if (options.paused === true) socket.pause()
    BEHAVIOURS[kind](connection, options)
  }, options.tls)
  return {
    kind,
    host: listening.host,
    port: listening.port,
    destination: listening.destination,
    connections,
    async connection(index) {
      await until(() => index < connections.length, () => `connection ${index} to the ${kind} target; it has ${connections.length}`, 5_000)
      return connections[index] as TargetConnection
    },
    close: () => listening.close(),
    [Symbol.asyncDispose]: () => listening.close(),
  }
}
