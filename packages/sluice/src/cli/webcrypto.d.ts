import type { webcrypto } from 'node:crypto'

// @peculiar/x509 speaks of these as a browser's globals; in Node they are the types of its own webcrypto. Seen by the build alone.
declare global {
  type AlgorithmIdentifier = webcrypto.AlgorithmIdentifier
  type Algorithm = webcrypto.Algorithm
  type BufferSource = webcrypto.BufferSource
  type Crypto = webcrypto.Crypto
  type CryptoKey = webcrypto.CryptoKey
  type CryptoKeyPair = webcrypto.CryptoKeyPair
  type EcKeyGenParams = webcrypto.EcKeyGenParams
  type EcKeyImportParams = webcrypto.EcKeyImportParams
  type EcdsaParams = webcrypto.EcdsaParams
  type KeyUsage = webcrypto.KeyUsage
  type RsaHashedImportParams = webcrypto.RsaHashedImportParams
}
