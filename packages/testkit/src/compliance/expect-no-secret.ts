import assert from 'node:assert/strict'
import { inspect } from 'node:util'

/** Fails if one of the secrets is in anything that a log could make of that value. */
export function expectNoSecret(value: unknown, secrets: readonly string[], what: string): void {
  const shown = [inspect(value, { depth: Infinity, maxStringLength: Infinity }), value instanceof Error ? value.stack : String(value)]
  for (const [index, secret] of secrets.entries()) {
    // Not the secret itself is told, here neither.
    assert.ok(!shown.some((text) => text?.includes(secret) === true), `${what} holds the secret number ${index + 1}`)
  }
}
