import { equal } from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { curl } from '../curl.mjs'
import { startSluice } from '../sluice.mjs'

const BYTES = 1_048_576
const CHAINED_BYTES = 10 * BYTES

async function echoes(lane, inbound, url, bytes = BYTES) {
  const sent = randomBytes(bytes)
  const file = join(lane.folder, 'upload')
  writeFileSync(file, sent)
  const { code, stdout, stderr } = await curl(inbound, ['--cacert', lane.caFile, '-H', 'Expect:', '--data-binary', `@${file}`, url])
  equal(stderr, '')
  equal(code, 0)
  equal(stdout.length, bytes)
  equal(sha256(stdout), sha256(sent))
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

const plain = ({ targets }) => `http://127.0.0.1:${targets.http.port}/echo`
const secure = ({ targets }) => `https://127.0.0.1:${targets.https.port}/echo`

/** Through the upstream to itself, and from there to the target. */
async function echoesThroughTwo({ lane, upstream }) {
  const sluice = await startSluice(lane, upstream, { isChain: true })
  try {
    await echoes(lane, sluice.socks, secure(lane), CHAINED_BYTES)
  } finally {
    await sluice.stop()
  }
}

/** 1 MiB up, and the same 1 MiB down. */
export const bulkCells = [
  { name: '1 MiB up and down by SOCKS', run: ({ lane, sluice }) => echoes(lane, sluice.socks, plain(lane)) },
  { name: '1 MiB up and down by HTTP', run: ({ lane, sluice }) => echoes(lane, sluice.http, secure(lane)) },
  { name: '10 MiB up and down through two', applies: ({ name }) => name.startsWith('squid'), run: echoesThroughTwo },
]
