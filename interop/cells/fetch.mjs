import { equal } from 'node:assert/strict'
import { curl } from '../curl.mjs'

const GREETING = 'hello from the target\n'

async function greets(inbound, url, ...args) {
  const { code, stdout, stderr } = await curl(inbound, [...args, url])
  equal(stderr, '')
  equal(code, 0)
  equal(stdout.toString(), GREETING)
}

const http = (lane, host = '127.0.0.1') => `http://${host}:${lane.targets.http.port}/`
const https = (lane) => `https://localhost:${lane.targets.https.port}/`

/** One small request, by address and by name; curl asks the HTTP inbound by CONNECT, but for the plain ones. */
export const fetchCells = [
  { name: 'GET http by SOCKS', run: ({ lane, sluice }) => greets(sluice.socks, http(lane)) },
  { name: 'GET http by SOCKS4', run: ({ lane, sluice }) => greets({ ...sluice.socks, scheme: 'socks4' }, http(lane)) },
  { name: 'GET http by SOCKS4a', run: ({ lane, sluice }) => greets({ ...sluice.socks, scheme: 'socks4a' }, http(lane, 'localhost')) },
  { name: 'GET http by HTTP', run: ({ lane, sluice }) => greets(sluice.http, http(lane), '--proxytunnel') },
  { name: 'GET https by SOCKS', run: ({ lane, sluice }) => greets(sluice.socks, https(lane), '--cacert', lane.caFile) },
  { name: 'GET https by HTTP', run: ({ lane, sluice }) => greets(sluice.http, https(lane), '--cacert', lane.caFile) },
  { name: 'plain GET by HTTP', run: ({ lane, sluice }) => greets(sluice.http, http(lane)) },
  { name: 'plain GETs on one connection', run: ({ lane, sluice }) => greetsTwice(sluice.http, http(lane), http(lane, 'localhost')) },
]

/** curl says how many connections to the proxy each took; the second one none. */
async function greetsTwice(inbound, ...urls) {
  const { code, stdout } = await curl(inbound, ['-w', '%{num_connects}\n', ...urls])
  equal(code, 0)
  equal(stdout.toString(), `${GREETING}1\n${GREETING}0\n`)
}
