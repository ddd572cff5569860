/** The program under test: the real command with a config of one upstream. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.mjs'
import { listening, start } from './processes.mjs'

const COMMAND = fileURLToPath(new URL('../packages/sluice/bin/sluice.js', import.meta.url))
let count = 0

/**
 * Starts `sluice run` with a SOCKS and an HTTP inbound in front of the upstream.
 *
 * @param settings - Put into the `http` outbound's settings beside `servers`.
 * @param account - In place of the right one, which an upstream with Basic gets.
 */
export async function startSluice(lane, upstream, { settings = {}, account = upstream.basic ? lane.account : undefined } = {}) {
  const [socks, http] = [await freePort(), await freePort()]
  const outbound = {
    protocol: 'http',
    settings: { ...settings, servers: [{ address: '127.0.0.1', port: upstream.port, ...(account && { users: [account] }) }] },
  }
  if (upstream.tls) {
    outbound.streamSettings = {
      security: 'tls',
      tlsSettings: { alpn: ['http/1.1'], certificates: [{ usage: 'verify', certificateFile: lane.caFile }] },
    }
  }
  const file = join(lane.folder, `sluice-${++count}.json`)
  writeFileSync(file, JSON.stringify({
    log: { loglevel: 'info' },
    inbounds: [{ protocol: 'socks', port: socks }, { protocol: 'http', port: http }],
    outbounds: [outbound],
  }, undefined, 2))
  const program = start('sluice', process.execPath, [COMMAND, 'run', '-c', file])
  await listening(program, [socks, http])
  return {
    socks: { scheme: 'socks5h', port: socks },
    http: { scheme: 'http', port: http },
    log: () => program.output,
    stop: () => program.stop(),
  }
}
