import { mkdtempSync, chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.mjs'
import { listening } from '../processes.mjs'
import { pathOf } from '../tools.mjs'
import { readConnects } from './connect-log.mjs'

const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_host', 'ssl', 'http2', 'proxy', 'proxy_connect', 'proxy_http']
const MODULE_FOLDER = '/usr/lib/apache2/modules'
/** One process with room for every tunnel of the lane, so that no limit but that of one HTTP/2 connection is met. */
const THREADS = 400

/** Apache httpd with mod_proxy_connect: in clear, over TLS with HTTP/1.1, over TLS with HTTP/2. One process group, three ports. */
export const apache = {
  tools: ['apache2'],
  upstreams: [{ name: 'apache' }, { name: 'apache-tls', tls: true }, { name: 'apache-h2', tls: true, http2: true, fewStreams: true }],

  async start(lane) {
    const { plain, tls, http2, log } = await startApache(lane)
    return { 'apache': { port: plain }, 'apache-tls': { port: tls }, 'apache-h2': { port: http2, connects: () => readConnects(log) } }
  },
}

/** Also for the proxies that need a forward proxy behind them. Resolves to its ports, and to the file of the HTTP/2 port's log. */
export async function startApache({ folder, server, environment, programs }) {
  const base = mkdtempSync(join(folder, 'apache-'))
  // It gives up root for a user of its own.
  chmodSync(base, 0o755)
  const [plain, tls, http2] = [await freePort(), await freePort(), await freePort()]
  const config = join(base, 'apache.conf')
  const log = join(base, 'http2.log')
  writeFileSync(config, `
ServerRoot ${base}
ServerName proxy.test
PidFile ${join(base, 'apache.pid')}
DefaultRuntimeDir ${base}
ErrorLog ${join(base, 'error.log')}
Mutex pthread default
${MODULES.map((name) => `LoadModule ${name}_module ${MODULE_FOLDER}/mod_${name}.so`).join('\n')}
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadLimit ${THREADS}
ThreadsPerChild ${THREADS}
MaxRequestWorkers ${THREADS}
Listen 127.0.0.1:${plain}
Listen 127.0.0.1:${tls}
Listen 127.0.0.1:${http2}
Protocols http/1.1
SSLSessionCache none
SSLCertificateFile ${server.certificateFile}
SSLCertificateKeyFile ${server.keyFile}
ProxyRequests On
ProxyTimeout 60
AllowCONNECT 0-65535
<Proxy "*">
  Require local
</Proxy>
<VirtualHost 127.0.0.1:${plain}>
</VirtualHost>
<VirtualHost 127.0.0.1:${tls}>
  SSLEngine on
</VirtualHost>
<VirtualHost 127.0.0.1:${http2}>
  SSLEngine on
  Protocols h2
  H2ProxyRequests on
  CustomLog ${log} "%{remote}p %m %H %>s"
</VirtualHost>
`)
  const program = programs.start('apache2', pathOf('apache2'), ['-d', base, '-f', config, '-DFOREGROUND'], { env: environment })
  await listening(program, [plain, tls, http2])
  return { plain, tls, http2, log }
}
