/**
 * What tests of Sluice modules need: real peers on loopback that do what a script says, and suites that prove a contract.
 *
 * @example
 * ```ts
 * import { createCertificates } from '@sluice/testkit'
 *
 * const certificates = await createCertificates()
 * const { certPem, keyPem } = await certificates.issue()
 * ```
 *
 * @packageDocumentation
 */
export { createCertificates, type CertificateOptions, type Certificates, type IssuedCertificate } from './certificates.js'
