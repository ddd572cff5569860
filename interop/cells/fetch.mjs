import { equal } from 'node:assert/strict'
import { curl } from '../curl.mjs'

const GREETING = 'hello from the target\n'

async function greets(lane, inbound, url) {
  const { code, stdout, stderr } = await curl(inbound, ['--proxytunnel', '--cacert', lane.caFile, url])
  equal(stderr, '')
  equal(code, 0)
  equal(stdout.toString(), GREETING)
}

async function notServed(inbound, url) {
  const { stdout } = await curl(inbound, ['-o', '/dev/null', '-w', '%{http_code}', url])
  equal(stdout.toString(), '501')
}

/** One small request, by address and by name; curl asks the HTTP inbound by CONNECT, but for the last. */
export const fetchCells = [
  { name: 'GET http by SOCKS', run: ({ lane, sluice }) => greets(lane, sluice.socks, `http://127.0.0.1:${lane.targets.http.port}/`) },
  { name: 'GET http by HTTP', run: ({ lane, sluice }) => greets(lane, sluice.http, `http://127.0.0.1:${lane.targets.http.port}/`) },
  { name: 'GET https by SOCKS', run: ({ lane, sluice }) => greets(lane, sluice.socks, `https://localhost:${lane.targets.https.port}/`) },
  { name: 'GET https by HTTP', run: ({ lane, sluice }) => greets(lane, sluice.http, `https://localhost:${lane.targets.https.port}/`) },
  {
    name: 'plain GET by HTTP',
    expected: () => 'the HTTP inbound serves CONNECT only, and says 501 to a plain request',
    run: ({ lane, sluice }) => notServed(sluice.http, `http://127.0.0.1:${lane.targets.http.port}/`),
  },
]
