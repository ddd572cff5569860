import { createHash } from 'node:crypto'
import type { DetailedPeerCertificate } from 'node:tls'

/**
 * The hashes that a pin of this chain may have, in base64: those of its leaf, of its leaf and the next, and so on.
 *
 * v2ray hashes what the server sends; Node adds to that the root from its own store. Whichever of the hashes was pinned, the
 * leaf and all up to that point are the same.
 */
export function chainHashes(leaf: DetailedPeerCertificate): string[] {
  const hashes: string[] = []
  let hash: Buffer | undefined
  for (const certificate of chainOf(leaf)) {
    const own = sha256(certificate.raw)
    hash = hash === undefined ? own : sha256(Buffer.concat([hash, own]))
    hashes.push(hash.toString('base64'))
  }
  return hashes
}

/** Node links a root to itself. */
function* chainOf(leaf: DetailedPeerCertificate): Generator<DetailedPeerCertificate> {
  let certificate: DetailedPeerCertificate | undefined = leaf
  while (certificate?.raw !== undefined) {
    yield certificate
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate
    certificate = issuer === certificate ? undefined : issuer
  }
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
