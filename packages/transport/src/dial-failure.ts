import { formatEndpoint, printable, ProxyError, type Destination } from '@sluice/core'
import { systemErrorText } from './system-error-text.js'

/** Why no TCP connection came about: DNS if the name has no address, else DIAL with every address that was tried. */
export function dialFailure(error: NodeJS.ErrnoException, to: Destination): ProxyError {
  const server = printable(formatEndpoint(to))
  if (error.syscall === 'getaddrinfo') {
    return new ProxyError('DNS', `Cannot resolve "${printable(to.host)}": ${nameErrorText(error)}`, { phase: 'dns', server, cause: error })
  }
  const reasons = error instanceof AggregateError ? eachAddress(error.errors as AddressError[]) : reasonOf(error)
  const side = isOurs(error) ? 'internal' : 'upstream'
  return new ProxyError('DIAL', `Cannot connect to ${server}: ${reasons}`, { side, phase: 'dial', server, cause: error })
}

/** This machine's own shortage or setting, for which no server is to be blamed. */
function isOurs({ code, syscall }: NodeJS.ErrnoException): boolean {
  return syscall === 'bind' || code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS' || code === 'EADDRNOTAVAIL'
}

interface AddressError extends NodeJS.ErrnoException {
  readonly address?: string
}

function eachAddress(errors: readonly AddressError[]): string {
  return errors.map((error) => `${error.address ?? 'an address'}: ${reasonOf(error)}`).join(', ')
}

function reasonOf(error: AddressError): string {
  if (error.syscall === 'bind') return `cannot dial from ${error.address ?? 'sendThrough'}: ${systemErrorText(error)}`
  return systemErrorText(error)
}

function nameErrorText(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOTFOUND') return 'no such name'
  if (error.code === 'EAI_AGAIN') return 'the name server does not answer'
  return systemErrorText(error)
}
