import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.mjs'
import { pathOf } from '../tools.mjs'
import { startApache } from './apache.mjs'
import { readConnects } from './connect-log.mjs'
import { Front } from './front.mjs'
import { startSquid } from './squid.mjs'

const losesHalfClose = 'nghttpx does not pass the client\'s end on, and the late reply never comes'
const common = { tls: true, http2: true, losesHalfClose }

/** nghttpx, no forward proxy of its own: it hands each CONNECT from HTTP/2 over TLS to one behind it. One process group per port. */
export const nghttpx = {
  tools: ['nghttpx', 'squid', 'htpasswd', 'apache2'],
  upstreams: [
    { name: 'nghttpx-squid', ...common },
    { name: 'nghttpx-apache', ...common, canFail: true },
    { name: 'nghttpx-basic', ...common, basic: true },
  ],

  async start(lane) {
    const [squid, apache] = await Promise.all([startSquid(lane), startApache(lane)])
    return {
      'nghttpx-squid': await startFront(lane, squid.plain),
      'nghttpx-apache': await startFront(lane, apache.plain),
      'nghttpx-basic': { ...await startFront(lane, squid.basic), requests: squid.refusedRequests },
    }
  },
}

async function startFront({ folder, programs, server }, behind) {
  const base = mkdtempSync(join(folder, 'nghttpx-'))
  const port = await freePort()
  const config = join(base, 'nghttpx.conf')
  const log = join(base, 'access.log')
  // By default it answers 8 tunnels at a time to one target, and says nothing to the others.
  writeFileSync(config, `
http2-proxy=yes
frontend=127.0.0.1,${port}
backend=127.0.0.1,${behind}
backend-connections-per-host=10000
private-key-file=${server.keyFile}
certificate-file=${server.certificateFile}
workers=1
accesslog-file=${log}
accesslog-format=$remote_port $method $protocol_version $status
accesslog-write-early=yes
errorlog-file=${join(base, 'error.log')}
pid-file=${join(base, 'nghttpx.pid')}
`)
  const front = new Front(() => programs.start('nghttpx', pathOf('nghttpx'), [`--conf=${config}`]), port, 'SIGQUIT')
  await front.start()
  return { port, front, connects: () => readConnects(log) }
}
