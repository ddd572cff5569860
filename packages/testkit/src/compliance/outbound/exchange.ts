import assert from 'node:assert/strict'
import { pattern, sha256 } from '../../pattern.js'
import type { Target } from '../../target/start-target.js'
import type { OutboundBench } from './outbound-bench.js'

const PAYLOAD_BYTES = 16_384

/** A session that sends bytes of its own, gets them back from an echo, and ends in order. */
export async function exchange(bench: OutboundBench, target: Target, index: number): Promise<void> {
  const session = await bench.session(target)
  const bytes = pattern(PAYLOAD_BYTES, index * 1_009)
  await session.client.send(bytes)
  const echoed = await session.client.expectBytes(PAYLOAD_BYTES)
  assert.equal(sha256(echoed), sha256(bytes), `SHA-256 of what came back in session ${index}`)
  await session.client.fin()
  await session.client.expectEnd()
  await session.resolved()
  session.link.close()
}
