import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.mjs'
import { pathOf } from '../tools.mjs'
import { startApache } from './apache.mjs'
import { parseConnects } from './connect-log.mjs'
import { Front } from './front.mjs'

/** haproxy, no forward proxy of its own: it hands each CONNECT from HTTP/2 over TLS to Apache in clear. */
export const haproxy = {
  tools: ['haproxy', 'apache2'],
  upstreams: [{ name: 'haproxy', tls: true, http2: true, canFail: true, canTakeOver: true, canFallSilent: true }],

  async start(lane) {
    const behind = await startApache(lane)
    const base = mkdtempSync(join(lane.folder, 'haproxy-'))
    const port = await freePort()
    const config = join(base, 'haproxy.cfg')
    writeFileSync(config, `
defaults
  mode http
  log stdout format raw daemon
  log-format "%cp %HM %HV %ST"
  option logasap
  timeout connect 5s
  timeout client 60s
  timeout client-fin 60s
  timeout server 60s
  timeout tunnel 1h
frontend front
  bind 127.0.0.1:${port} ssl crt ${lane.server.bothFile} alpn h2,http/1.1
  default_backend behind
backend behind
  server apache 127.0.0.1:${behind.plain}
`)
    const run = (before) => {
      const takingOver = before === undefined ? [] : ['-sf', String(before)]
      return lane.programs.start('haproxy', pathOf('haproxy'), ['-db', '-f', config, ...takingOver])
    }
    const front = new Front(run, port, 'SIGUSR1')
    await front.start()
    return { haproxy: { port, front, connects: () => parseConnects(front.output), other: { port: behind.http2 } } }
  },
}
