import { equal, match } from 'node:assert/strict'
import { curl } from '../curl.mjs'
import { startSluice } from '../sluice.mjs'
import { until } from '../until.mjs'

const CURLE_PROXY = 97
const REP_NOT_ALLOWED = 2
const WRONG = 'not-the-password'

const applies = ({ basic }) => basic === true

/** One session with a wrong password is one request upstream, whatever the client is told. */
async function refusedOnce({ lane, upstream }, ask) {
  const before = upstream.requests()
  const sluice = await startSluice(lane, upstream, { account: { ...lane.account, pass: WRONG } })
  try {
    await ask(sluice, `http://127.0.0.1:${lane.targets.http.port}/`)
    await until(() => upstream.requests() > before, { limitMs: 2_000, otherwise: () => 'The upstream\'s log holds no request' })
  } finally {
    await sluice.stop()
  }
  const requests = upstream.requests() - before
  equal(requests, 1, `the upstream's log holds ${requests} requests`)
  match(sluice.log(), /\bAUTH\b/)
  equal(sluice.log().includes(WRONG), false, 'our log holds the password')
}

async function asksBySocks(sluice, url) {
  const { code, stderr } = await curl(sluice.socks, [url])
  equal(code, CURLE_PROXY, stderr)
  match(stderr, new RegExp(`\\(${REP_NOT_ALLOWED}\\)\\s*$`))
}

async function asksByHttp(sluice, url) {
  const { stdout } = await curl(sluice.http, ['--proxytunnel', '-o', '/dev/null', '-w', '%{http_connect}', url])
  equal(stdout.toString(), '502')
}

export const wrongPasswordCells = [
  { name: 'wrong password, by SOCKS', applies, run: (cell) => refusedOnce(cell, asksBySocks) },
  { name: 'wrong password, by HTTP', applies, run: (cell) => refusedOnce(cell, asksByHttp) },
]
