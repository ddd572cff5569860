import {
  createInstance, formatEndpoint,
  type Config, type InboundConfig, type InstanceEventMap, type InstanceEventName, type StopOptions,
} from '@sluice/core'
import { parseListenUrl } from '../cli/proxy-url.js'
import { Proxy, type ProxyOptions } from './proxy.js'
import { upstreamOutbounds, type Upstream } from './upstream.js'

export interface StartProxyOptions extends ProxyOptions {
  /** @default straight to the target */
  readonly upstream?: Upstream
  /** As `http://user:pass@127.0.0.1:8080` or `socks://127.0.0.1:1080`. @default SOCKS and HTTP on a free port of 127.0.0.1 */
  readonly listen?: string
}

/** A proxy that listens. */
export interface StartedProxy extends AsyncDisposable {
  /** For clients that speak HTTP with proxies, or SOCKS where it listens for that alone; without credentials. */
  readonly url: string
  readonly port: number
  /** Accepts no more and waits for sessions. @returns how many were cut, by default after 10 s. */
  close(options?: StopOptions): Promise<{ cut: number }>
  /** Listens to what happens. @returns Removes the listener. */
  on<Name extends InstanceEventName>(name: Name, listener: (...values: InstanceEventMap[Name]) => unknown): () => void
}

/**
 * Starts a local proxy in front of an upstream, as for clients that cannot authenticate themselves.
 *
 * @throws {Error} for a URL that cannot be used. @throws what `listen(2)` says.
 * @example
 * ```ts
 * import { startProxy } from 'sluice'
 *
 * await using proxy = await startProxy({ upstream: 'http://user:pass@proxy.example:3128' })
 * console.log(`chromium --proxy-server=${proxy.url}`)
 * ```
 */
export async function startProxy({ upstream, listen, ...options }: StartProxyOptions = {}): Promise<StartedProxy> {
  const inbound: InboundConfig = listen === undefined ? { protocol: 'mixed', port: 0 } : parseListenUrl(listen, 'listen')
  const config: Config = { inbounds: [{ ...inbound, tag: 'local' }], outbounds: upstreamOutbounds(upstream) }
  const proxy = new Proxy((modules, more) => {
    const { outbounds = [] } = config
    const instance = createInstance({ ...config, outbounds: [...outbounds, ...more] }, { modules })
    return Promise.resolve({ instance, remarks: instance.remarks })
  }, options)
  await proxy.start()
  const [first] = proxy.listening
  if (first === undefined) throw new Error('The proxy does not listen')
  const close = (how?: StopOptions): Promise<{ cut: number }> => proxy.stop(how)
  return {
    url: `${inbound.protocol === 'socks' ? 'socks5' : 'http'}://${formatEndpoint(first.address)}`,
    port: first.address.port,
    close,
    on: (name, listener) => proxy.on(name, listener),
    async [Symbol.asyncDispose]() {
      await close({ drainMs: 0 })
    },
  }
}
