import { deepEqual, equal } from 'node:assert/strict'
import { freePort } from '../ports.mjs'
import { curl } from '../curl.mjs'

const CURLE_PROXY = 97

/** The client's SOCKS reply must say no, and not be a mere close. */
async function refusedBySocks(inbound, url) {
  const { code, stderr } = await curl(inbound, [url])
  equal(code, CURLE_PROXY, stderr)
  const rep = Number(/\((\d+)\)\s*$/.exec(stderr)?.[1])
  equal([1, 4].includes(rep), true, `REP of: ${stderr}`)
}

async function refusedByHttp(inbound, url) {
  const { stdout } = await curl(inbound, ['--proxytunnel', '-o', '/dev/null', '-w', '%{http_connect} %{http_code}', url])
  deepEqual(stdout.toString(), '502 000')
}

const closedPort = async () => `http://127.0.0.1:${await freePort()}/`
const NO_SUCH_NAME = 'http://nothing-here.invalid/'

/** The upstream cannot reach the target: each says so with a status of its own, and our client gets the truth in its own protocol. */
export const refusalCells = [
  { name: 'target refuses, by SOCKS', run: async ({ sluice }) => refusedBySocks(sluice.socks, await closedPort()) },
  { name: 'target refuses, by HTTP', run: async ({ sluice }) => refusedByHttp(sluice.http, await closedPort()) },
  { name: 'no such name, by SOCKS', run: ({ sluice }) => refusedBySocks(sluice.socks, NO_SUCH_NAME) },
  { name: 'no such name, by HTTP', run: ({ sluice }) => refusedByHttp(sluice.http, NO_SUCH_NAME) },
]
