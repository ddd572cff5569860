import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.mjs'
import { listening, start } from '../processes.mjs'
import { pathOf } from '../tools.mjs'

const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_host', 'ssl', 'proxy', 'proxy_connect', 'proxy_http']
const MODULE_FOLDER = '/usr/lib/apache2/modules'

/** Apache httpd with mod_proxy_connect: in clear, and over TLS with HTTP/1.1. One process group, two ports. */
export const apache = {
  tools: ['apache2'],
  upstreams: [{ name: 'apache' }, { name: 'apache-tls', tls: true }],

  async start({ folder, server, environment }) {
    const base = join(folder, 'apache')
    mkdirSync(base)
    const [plain, tls] = [await freePort(), await freePort()]
    const config = join(base, 'apache.conf')
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
Listen 127.0.0.1:${plain}
Listen 127.0.0.1:${tls}
Protocols http/1.1
SSLSessionCache none
ProxyRequests On
ProxyTimeout 20
AllowCONNECT 0-65535
<Proxy "*">
  Require local
</Proxy>
<VirtualHost 127.0.0.1:${plain}>
</VirtualHost>
<VirtualHost 127.0.0.1:${tls}>
  SSLEngine on
  SSLCertificateFile ${server.certificateFile}
  SSLCertificateKeyFile ${server.keyFile}
</VirtualHost>
`)
    const program = start('apache2', pathOf('apache2'), ['-d', base, '-f', config, '-DFOREGROUND'], { env: environment })
    await listening(program, [plain, tls])
    return { 'apache': { port: plain }, 'apache-tls': { port: tls } }
  },
}
