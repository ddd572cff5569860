/** What is measured: each takes the same config, as v2ray reads it. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../packages/sluice/bin/sluice.js', import.meta.url))

export const SYSTEMS = [
  { name: 'sluice', command: process.execPath, args: (config) => [COMMAND, 'run', '-c', config] },
  { name: 'v2ray', command: 'v2ray', args: (config) => ['-config', config], probe: ['-version'], install: 'apt-get install v2ray' },
]

/** Whether it can be run here, and how it calls itself. */
export function versionOf({ command, probe }) {
  if (probe === undefined) return `Node ${process.version}`
  const { status, stdout } = spawnSync(command, probe, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0] : undefined
}

/** SOCKS in, and an HTTP proxy out, over the transport of the kind. */
export function configFor(kind, port, upstreamPort, caFile) {
  const tls = { serverName: 'localhost', alpn: [kind === 'tlsh2' ? 'h2' : 'http/1.1'] }
  const streamSettings = kind === 'h1' ? { network: 'tcp' } : {
    network: 'tcp', security: 'tls', tlsSettings: { ...tls, certificates: [{ usage: 'verify', certificateFile: caFile }] },
  }
  return {
    log: { loglevel: 'none', access: 'none' },
    inbounds: [{ listen: '127.0.0.1', port, protocol: 'socks', settings: { auth: 'noauth', udp: false } }],
    outbounds: [{ protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port: upstreamPort }] }, streamSettings }],
  }
}
