/** What every upstream and cell shares: the run folder, the certificates and the targets. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bannerTarget, closingTarget, lateTarget } from './targets/raw-target.mjs'
import { webTarget } from './targets/web-target.mjs'

export async function openLane() {
  // By path, as the root package depends on no other.
  const { createCertificates } = await import('../packages/testkit/dist/index.js')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-interop-'))
  // Upstreams that give up root must reach their own files in it.
  chmodSync(folder, 0o755)
  const certificates = await createCertificates()
  const { certPem, keyPem } = await certificates.issue()
  const write = (name, text) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const targets = {
    http: await webTarget(),
    https: await webTarget({ cert: certPem, key: keyPem }),
    banner: await bannerTarget(),
    late: await lateTarget(),
    closing: await closingTarget(),
  }
  return {
    folder,
    targets,
    caFile: write('ca.pem', certificates.ca.certPem),
    server: {
      certificateFile: write('server.pem', certPem),
      keyFile: write('server.key', keyPem),
      bothFile: write('server-both.pem', `${certPem}\n${keyPem}`),
    },
    account: { user: 'interop', pass: 'open-sesame' },
    // One short question to a name server: whether there is one or not, a wrong name is told soon.
    environment: { PATH: process.env.PATH, RES_OPTIONS: 'timeout:1 attempts:1' },
    close() {
      for (const target of Object.values(targets)) target.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
