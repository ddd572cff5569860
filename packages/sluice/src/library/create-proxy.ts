import { createInstance, type Config } from '@sluice/core'
import { loadConfig } from '../cli/load-config.js'
import { Proxy, type Load, type ProxyOptions } from './proxy.js'

/**
 * Makes a proxy of a config, or of a config file, which is read when the proxy starts and at each reload. Nothing is opened before
 * `start()`.
 *
 * @example
 * ```ts
 * import { createProxy } from 'sluice'
 *
 * await using proxy = createProxy('config.json', { onRequest: ({ host }) => host.endsWith('.invalid') ? { refuse: 'not here' } : 'allow' })
 * proxy.on('session:close', ({ target, record }) => console.log(target.host, record.outcome))
 * await proxy.start()
 * process.on('SIGHUP', () => proxy.reload().catch(console.error))
 * ```
 */
export function createProxy(config: Config | string, options: ProxyOptions = {}): Proxy {
  return new Proxy(loadOf(config), options)
}

function loadOf(config: Config | string): Load {
  if (typeof config === 'string') return (modules, outbounds) => loadConfig({ config: [config] }, { modules, outbounds })
  return (modules, more) => {
    const { outbounds = [] } = config
    const instance = createInstance({ ...config, outbounds: [...outbounds, ...more] }, { modules })
    return Promise.resolve({ instance, remarks: instance.remarks })
  }
}
