import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { freePort } from '../ports.mjs'
import { listening } from '../processes.mjs'
import { pathOf } from '../tools.mjs'

const HELPER = '/usr/lib/squid/basic_ncsa_auth'
const losesHalfClose = 'squid ends the tunnel at the client\'s FIN, and the late reply is lost'

/** Squid: in clear, over TLS (HTTP/1.1 without ALPN), and with Basic. One process, three ports. */
export const squid = {
  tools: ['squid', 'htpasswd'],
  upstreams: [
    { name: 'squid', losesHalfClose },
    { name: 'squid-tls', tls: true, losesHalfClose },
    { name: 'squid-basic', basic: true, losesHalfClose },
  ],

  async start(lane) {
    const { plain, tls, basic, refusedRequests } = await startSquid(lane)
    return { 'squid': { port: plain }, 'squid-tls': { port: tls }, 'squid-basic': { port: basic, requests: refusedRequests } }
  },
}

/** Also for the proxies that need a forward proxy behind them. Resolves to its ports, and to what its log holds. */
export async function startSquid({ folder, server, account, programs }) {
  const base = mkdtempSync(join(folder, 'squid-'))
  // Squid gives up root for a user of its own, which writes here.
  chmodSync(base, 0o777)
  const [plain, tls, basic] = [await freePort(), await freePort(), await freePort()]
  const accessLog = join(base, 'access.log')
  execFileSync(pathOf('htpasswd'), ['-bc', join(base, 'passwords'), account.user, account.pass], { stdio: 'ignore' })
  const config = join(base, 'squid.conf')
  writeFileSync(config, `
http_port 127.0.0.1:${plain}
https_port 127.0.0.1:${tls} tls-cert=${server.certificateFile} tls-key=${server.keyFile}
http_port 127.0.0.1:${basic} name=basic
auth_param basic program ${HELPER} ${join(base, 'passwords')}
auth_param basic children 1
auth_param basic realm interop
acl onBasicPort myportname basic
acl known proxy_auth REQUIRED
acl loopback src 127.0.0.0/8
http_access deny onBasicPort !known
http_access allow loopback
http_access deny all
cache deny all
cache_mem 1 MB
pinger_enable off
dns_timeout 3 seconds
connect_timeout 3 seconds
shutdown_lifetime 0 seconds
visible_hostname squid.test
access_log stdio:${accessLog}
cache_log ${join(base, 'cache.log')}
pid_filename ${join(base, 'squid.pid')}
coredump_dir ${base}
`)
  const program = programs.start('squid', pathOf('squid'), ['-N', '-f', config])
  await listening(program, [plain, tls, basic])
  return { plain, tls, basic, refusedRequests: () => lines(accessLog, /TCP_DENIED\/407 .* CONNECT /) }
}

function lines(path, pattern) {
  return readFileSync(path, 'utf8').split('\n').filter((line) => pattern.test(line)).length
}
