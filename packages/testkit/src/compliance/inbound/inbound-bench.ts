import { tcp, type Destination } from '@sluice/core'
import { tcpPair } from '../../tcp-pair.js'
import type { Bench } from '../suite.js'
import type { InboundComplianceOptions, InboundSetup } from './inbound-compliance-options.js'
import { Visit } from './visit.js'

const DEFAULT_TARGETS = [tcp('target.test', 443), tcp('192.0.2.1', 1), tcp('2001:db8::1', 65_535)]

/** An inbound under test and its clients. */
export class InboundBench implements Bench {
  readonly setup: InboundSetup
  readonly options: InboundComplianceOptions
  readonly limitMs: number
  readonly targets: readonly Destination[]
  readonly #visits: Visit[] = []

  constructor(setup: InboundSetup, options: InboundComplianceOptions) {
    this.setup = setup
    this.options = options
    this.limitMs = options.limitMs ?? 5_000
    this.targets = options.targets ?? DEFAULT_TARGETS
  }

  /** A target that the protocol can ask for. */
  get target(): Destination {
    return this.targets[0] as Destination
  }

  /** The request for that target. */
  request(target = this.target): Buffer {
    return Buffer.from(this.setup.request(target))
  }

  /** A client that has connected and says nothing yet. */
  async visit(): Promise<Visit> {
    const [client, socket] = await tcpPair()
    const visit = new Visit(this.setup, client, socket, this.limitMs)
    this.#visits.push(visit)
    return visit
  }

  /** A client that has sent its request, and `behind` in the same write. */
  async asked(behind = '', target = this.target): Promise<Visit> {
    const visit = await this.visit()
    await visit.client.send(Buffer.concat([this.request(target), Buffer.from(behind)]))
    return visit
  }

  async close(): Promise<void> {
    try {
      await Promise.all(this.#visits.map((visit) => visit.close()))
    } finally {
      await this.setup.close?.()
    }
  }

  cleanUp(): void {
    for (const { client, socket } of this.#visits) {
      client.socket.destroy()
      socket.destroy()
    }
  }
}
