/** The upstreams and targets of the soak, and the config that leads to them: one inbound for each kind of upstream. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closedPort, connectProxy, createCertificates, http2ConnectProxy, startTarget } from '../packages/testkit/dist/index.js'

export const KINDS = ['h1', 'tls', 'h2']

export async function startPeers() {
  const certificates = await createCertificates()
  const tls = await certificates.issue()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, certificates.ca.certPem)
  const upstreams = { h1: await connectProxy(), tls: await connectProxy({ tls }), h2: await http2ConnectProxy({ tls }) }
  const targets = { echo: await startTarget('echo'), late: await startTarget('late-reply'), reset: await startTarget('reset') }
  return {
    config: configFor(upstreams, caFile),
    targets: { ...targets, closed: await closedPort() },
    close: async () => {
      await Promise.all([...Object.values(upstreams), ...Object.values(targets)].map((peer) => peer.close()))
      rmSync(folder, { recursive: true })
    },
  }
}

function configFor(upstreams, caFile) {
  const security = { security: 'tls', tlsSettings: { certificates: [{ usage: 'verify', certificateFile: caFile }] } }
  return {
    log: { loglevel: 'none', access: 'none' },
    inbounds: KINDS.map((kind) => ({ protocol: 'mixed', port: 0, tag: `in-${kind}` })),
    outbounds: KINDS.map((kind) => ({
      protocol: 'http',
      tag: kind,
      settings: { servers: [{ address: '127.0.0.1', port: upstreams[kind].port }] },
      ...(kind === 'h1' ? {} : { streamSettings: security }),
    })),
    routing: { rules: KINDS.map((kind) => ({ type: 'field', inboundTag: [`in-${kind}`], outboundTag: kind })) },
  }
}
