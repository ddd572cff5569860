/** The program under test: the real command with a config of one upstream. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.mjs'
import { listening } from './processes.mjs'

/** Short, as some upstreams never pass an end on; longer than any reply of the lane takes. */
const POLICY = { levels: { 0: { downlinkOnly: 1.5 } } }
const COMMAND = fileURLToPath(new URL('../packages/sluice/bin/sluice.js', import.meta.url))
let count = 0

/**
 * Starts `sluice run` with a SOCKS and an HTTP inbound in front of the upstream.
 *
 * @param settings - Put into the `http` outbound's settings beside `servers`.
 * @param account - In place of the right one, which an upstream with Basic gets.
 * @param others - Further upstreams, reached in the same way.
 * @param isChain - Go through the upstream twice: it is asked for itself, and inside that tunnel for the target.
 */
export async function startSluice(lane, upstream, options = {}) {
  const { settings = {}, account = upstream.basic ? lane.account : undefined, others = [], isChain = false } = options
  const [socks, http] = [await freePort(), await freePort()]
  const servers = [upstream, ...others].map(({ port }) => ({ address: '127.0.0.1', port, ...(account && { users: [account] }) }))
  const outbound = { protocol: 'http', settings: { ...settings, servers } }
  if (upstream.tls) {
    // What is offered by ALPN is left to the program.
    outbound.streamSettings = { security: 'tls', tlsSettings: { certificates: [{ usage: 'verify', certificateFile: lane.caFile }] } }
  }
  const file = join(lane.folder, `sluice-${++count}.json`)
  writeFileSync(file, JSON.stringify({
    log: { loglevel: 'info' },
    policy: POLICY,
    inbounds: [{ protocol: 'socks', port: socks }, { protocol: 'http', port: http }],
    outbounds: isChain ? [{ ...outbound, tag: 'far', proxySettings: { tag: 'near' } }, { ...outbound, tag: 'near' }] : [outbound],
  }, undefined, 2))
  const program = lane.programs.start('sluice', process.execPath, [COMMAND, 'run', '-c', file])
  await listening(program, [socks, http])
  return {
    socks: { scheme: 'socks5h', port: socks },
    http: { scheme: 'http', port: http },
    log: () => program.output,
    stop: () => program.stop(),
  }
}
