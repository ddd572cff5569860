import { equal } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { curl } from '../curl.mjs'

const COUNT = 50

/** The target answers nobody before all have asked, so this passes only with all tunnels open at once. */
async function meet(lane, inbound, base) {
  const url = `${base}/meet/${randomUUID()}/${COUNT}?[1-${COUNT}]`
  const parallel = ['--parallel', '--parallel-immediate', '--parallel-max', String(COUNT)]
  const { code, stdout, stderr } = await curl(inbound, [...parallel, '--no-progress-meter', '--cacert', lane.caFile, url])
  equal(stderr, '')
  equal(code, 0)
  equal(stdout.toString(), `${COUNT} met\n`.repeat(COUNT))
}

export const concurrentCells = [
  { name: `${COUNT} at once by SOCKS`, run: ({ lane, sluice }) => meet(lane, sluice.socks, `http://127.0.0.1:${lane.targets.http.port}`) },
  { name: `${COUNT} at once by HTTP`, run: ({ lane, sluice }) => meet(lane, sluice.http, `https://127.0.0.1:${lane.targets.https.port}`) },
]
