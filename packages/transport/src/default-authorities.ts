import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'

/**
 * The authorities that Node trusts if none are named, as PEM. Naming some replaces these, so who wants to add to them names all.
 *
 * With Node 20, which cannot tell them, they are its own list and the file of `NODE_EXTRA_CA_CERTS`.
 */
export function defaultAuthorities(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => readonly string[] }
  return getCACertificates?.('default') ?? [...tls.rootCertificates, ...extraAuthorities(process.env['NODE_EXTRA_CA_CERTS'])]
}

function extraAuthorities(file: string | undefined): string[] {
  if (file === undefined || file === '') return []
  try {
    return [readFileSync(file, 'utf8')]
  } catch {
    // Node has warned of it when the process started, and goes on without it, too.
    return []
  }
}
