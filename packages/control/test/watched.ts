import { createInstance, type Config, type FeatureDefinition, type Instance, type LogEntry } from '@sluice/core'
import { httpInbound } from '@sluice/inbound-http'
import { freedomOutbound } from '@sluice/outbound-freedom'
import { httpOutbound } from '@sluice/outbound-http'
import { statsFeature } from '@sluice/stats'
import { connectTo, Peer } from '@sluice/testkit'
import { transport } from '@sluice/transport'
import { CONTROL, controlFeature, diagnosticsFeature, type SessionDescription } from '../src/index.js'

/** An instance with a control interface on a free port. */
export interface Watched extends AsyncDisposable {
  readonly instance: Instance
  readonly url: string
  readonly controlPort: number
  readonly logged: readonly LogEntry[]
  /** Asks for a tunnel by CONNECT and reads the answer. */
  open(targetPort: number): Promise<Peer>
  ask(path: string, init?: RequestInit): Promise<Response>
  connections(): Promise<readonly SessionDescription[]>
  metrics(): Promise<string>
}

const INBOUND = { protocol: 'http', tag: 'in', port: 0, settings: { accounts: [{ user: 'ann', pass: 'ann-secret' }] } } as const

/** Starts one; stops it at once when disposed. */
export async function watched(config: Config = {}, control: FeatureDefinition = controlFeature): Promise<Watched> {
  const modules = [transport, statsFeature, httpInbound, httpOutbound, freedomOutbound, diagnosticsFeature, control]
  const instance = createInstance({
    control: { listen: '127.0.0.1:0' }, inbounds: [INBOUND], outbounds: [{ protocol: 'freedom', tag: 'direct' }], ...config,
  }, { modules })
  const logged: LogEntry[] = []
  instance.events.on('log', (entry) => void logged.push(entry))
  await instance.start()
  const controlPort = instance.get(CONTROL).address?.port ?? 0
  const url = `http://127.0.0.1:${controlPort}`
  const credentials = Buffer.from('ann:ann-secret').toString('base64')
  return {
    instance,
    url,
    controlPort,
    logged,
    async open(targetPort) {
      const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
      await client.send(`CONNECT 127.0.0.1:${targetPort} HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`)
      await client.expectHead()
      return client
    },
    ask: (path, init) => fetch(`${url}${path}`, init),
    connections: async () => (await (await fetch(`${url}/connections`)).json() as { connections: SessionDescription[] }).connections,
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    async [Symbol.asyncDispose]() {
      await instance.stop({ drainMs: 0 })
    },
  }
}
