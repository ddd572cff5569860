// Sends the same sessions through v2ray and through Sluice and compares which outbound takes each. Run by hand, after a build:
//   node packages/router/oracle/run.mjs [sessions per rule and strategy] [seed]
// It wants `v2ray` (4.x, as Debian has it) in the PATH, and exits with 1 where the two differ.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { connect as startTls } from 'node:tls'
import { geoip, geosite } from './geo-file.mjs'
import { Recorder } from './recorder.mjs'
import { BALANCERS, GEOIP, GEOSITE, HOSTS, MEMBERS, plainRequest, RAW, RULES } from './rules.mjs'

const [perRule = 15, seed = 1] = process.argv.slice(2).map(Number)
const INBOUNDS = ['in-a', 'in-b', 'in-auth', 'in-sniff']
const LEAST_HITS = 20
const LIMIT_MS = 4_000

const folder = mkdtempSync(join(tmpdir(), 'sluice-oracle-'))
writeFileSync(join(folder, 'geosite.dat'), geosite(GEOSITE))
writeFileSync(join(folder, 'geoip.dat'), geoip(GEOIP))
process.env.V2RAY_LOCATION_ASSET = folder
const { createInstance, modules } = await import('../../sluice/dist/index.js')

/** The same numbers for the same seed (mulberry32). */
function randomOf(start) {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

function configOf(side, ports, recorder, domainStrategy) {
  const tags = Object.keys(recorder.ports)
  return {
    inbounds: INBOUNDS.map((tag, index) => ({
      tag, listen: '127.0.0.1', port: ports[index], protocol: 'http',
      settings: tag === 'in-auth' ? { accounts: ['ann', 'bob', 'eve'].map((user) => ({ user, pass: 'p' })) } : {},
      ...(tag === 'in-sniff' ? { sniffing: { enabled: true, destOverride: ['http', 'tls'] } } : {}),
    })),
    outbounds: tags.map((tag) => ({ tag, protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port: recorder.ports[tag] }] } })),
    dns: { hosts: HOSTS, servers: ['127.0.0.1'] },
    routing: {
      domainStrategy,
      balancers: BALANCERS,
      rules: RULES.map(({ tag, rule, attrs, balancer }) => ({
        type: 'field', ...rule, ...(attrs === undefined ? {} : { attrs: attrs[side === 'v2ray' ? 0 : 1] }),
        ...(balancer === undefined ? { outboundTag: tag } : { balancerTag: balancer }),
      })),
    },
  }
}

async function startV2ray(config) {
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ log: { loglevel: 'warning' }, ...config }))
  const child = spawn('v2ray', ['-config', file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { told += chunk })
  const [{ port }] = config.inbounds
  for (let round = 0; !(await listens(port)); round++) {
    if (round > 100 || child.exitCode !== null) throw new Error(`v2ray does not start:\n${told}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  }
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.on('error', () => resolve(false)).on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** What a TLS client says first. */
async function clientHello(servername) {
  const [socket, seen] = duplexPair()
  const client = startTls({ socket, servername })
  client.on('error', () => {})
  const [hello] = await once(seen, 'data')
  client.destroy()
  return hello
}

/** Opens one session and tells which outbound was asked for what. */
async function send(request, ports, recorder) {
  const { inbound, host, port, payload = 'raw', plain, user, from, fromPort, name = 'name.sniffed-other.test' } = request
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const auth = user === undefined ? '' : `Proxy-Authorization: Basic ${Buffer.from(`${user}:p`).toString('base64')}\r\n`
  const socket = connectTcp({
    host: '127.0.0.1', port: ports[INBOUNDS.indexOf(inbound)],
    ...(from === undefined ? {} : { localAddress: from }), ...(fromPort === undefined ? {} : { localPort: fromPort }),
  })
  const seen = recorder.next(LIMIT_MS)
  socket.on('error', () => {})
  if (plain !== undefined) {
    socket.write(`${plain} http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${auth}Content-Length: 0\r\nConnection: close\r\n\r\n`)
  } else {
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${auth}\r\n`)
    const bytes = payload === 'tls' ? await clientHello(name) : payload === 'http' ? `GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n` : RAW
    // v2ray dials only once the client has spoken.
    socket.once('data', () => socket.write(bytes))
  }
  const result = await seen
  socket.resetAndDestroy()
  return result
}

function requestsOf(random) {
  const ruled = RULES.flatMap(({ make }) => Array.from({ length: perRule * 2 }, (_, index) => make(random, index)))
  return [...ruled, ...Array.from({ length: perRule }, () => plainRequest(random))]
}

/** Members of a balancer that picks at random count as one. */
const comparable = (seen) => seen.replace(/^many-\d/, 'many')

async function compare(domainStrategy, random, hits) {
  const tags = ['default', ...RULES.filter(({ balancer }) => balancer === undefined).map(({ tag }) => tag), ...MEMBERS]
  const recorders = { v2ray: await new Recorder().open(tags), sluice: await new Recorder().open(tags) }
  const ports = { v2ray: await freePorts(INBOUNDS.length), sluice: await freePorts(INBOUNDS.length) }
  const stop = await startV2ray(configOf('v2ray', ports.v2ray, recorders.v2ray, domainStrategy))
  const instance = createInstance(configOf('sluice', ports.sluice, recorders.sluice, domainStrategy), { modules })
  await instance.start()
  const differences = []
  let count = 0
  const picked = { v2ray: new Set(), sluice: new Set() }
  for (const request of requestsOf(random)) {
    const [theirs, ours] = await Promise.all(['v2ray', 'sluice'].map((side) => send(request, ports[side], recorders[side])))
    count++
    for (const [side, seen] of [['v2ray', theirs], ['sluice', ours]]) {
      if (seen.startsWith('many-')) picked[side].add(seen.split(' ')[0])
    }
    const tag = comparable(theirs).split(' ')[0]
    hits.set(tag, (hits.get(tag) ?? 0) + 1)
    if (comparable(theirs) !== comparable(ours)) differences.push({ request, theirs, ours })
  }
  await instance.stop({ drainMs: 0 })
  await stop()
  for (const recorder of Object.values(recorders)) recorder.close()
  console.log(`${domainStrategy}: ${count} sessions, ${differences.length} differ; of the balancer were picked ${
    Object.entries(picked).map(([side, set]) => `${set.size} by ${side}`).join(', ')}`)
  for (const difference of differences.slice(0, 20)) console.log('  ', JSON.stringify(difference))
  return { count, differences }
}

const hits = new Map()
let total = 0
let different = 0
try {
  for (const [index, strategy] of ['AsIs', 'IPIfNonMatch', 'IPOnDemand'].entries()) {
    const { count, differences } = await compare(strategy, randomOf(seed + index), hits)
    total += count
    different += differences.length
  }
} finally {
  rmSync(folder, { recursive: true })
}
const wanted = [...RULES.map(({ tag, balancer }) => (balancer === 'one' ? 'single-1' : balancer === 'many' ? 'many' : tag)), 'default']
const rare = wanted.filter((tag) => (hits.get(tag) ?? 0) < LEAST_HITS)
console.log(wanted.map((tag) => `${tag} ${hits.get(tag) ?? 0}`).join(', '))
const enough = rare.length === 0 ? `every rule took at least ${LEAST_HITS}` : `too few by ${rare.join(', ')}`
console.log(`${total} sessions in all, ${different} differ; ${enough}`)
process.exitCode = different > 0 || rare.length > 0 ? 1 : 0
