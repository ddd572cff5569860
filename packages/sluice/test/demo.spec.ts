import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { connectTo, Peer, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { startCommand, startNode, type Command } from './command.js'

const PAGE = /It works/
const DEMO = JSON.stringify(new URL('../dist/cli/demo.js', import.meta.url).href)
/** What runs without arguments, on a port that nobody else has. */
const RUN_DEMO = `import(${DEMO}).then(({ runDemo }) => runDemo({ port: 0 }))`
/** The same in parts; when it is told to stop it tells how many connections to the upstream there were. */
const COUNT_CONNECTIONS = `
  const { createDemo } = await import(${DEMO})
  const demo = await createDemo({ port: 0 })
  const ports = new Set()
  demo.upstream.events.on('session:open', ({ source }) => ports.add(source.port))
  await demo.local.start()
  console.log(demo.greeting().join('\\n'))
  process.once('SIGTERM', async () => {
    await demo.local.stop()
    await demo[Symbol.asyncDispose]()
    console.log('connections: ' + ports.size)
  })`

interface CurlLine {
  readonly scheme: string
  readonly port: number
  readonly url: URL
}

/** The lines to try that need no network, as they were printed. */
async function curlLines(command: Command): Promise<CurlLine[]> {
  await until(() => command.out().includes('example.com'), () => `the lines to try: ${command.out()}${command.err()}`, 10_000)
  return [...command.out().matchAll(/curl -x (\w+):\/\/127\.0\.0\.1:(\d+) (http:\S+)/g)]
    .map(([, scheme = '', port, url = '']) => ({ scheme, port: Number(port), url: new URL(url) }))
}

/** Does what curl does with that line. */
async function fetchBy({ scheme, port, url }: CurlLine): Promise<string> {
  if (scheme === 'socks5h') return fetchBySocks(port, url)
  const [answer] = await once(get({ host: '127.0.0.1', port, path: url.href, headers: { Host: url.host }, agent: false }), 'response')
  return await text(answer as IncomingMessage)
}

async function fetchBySocks(port: number, { hostname, port: urlPort }: URL): Promise<string> {
  const client = new Peer(await connectTo(port), { stepMs: 10_000 })
  await client.send(Buffer.of(5, 1, 0))
  await client.expect(Buffer.of(5, 0))
  const portBytes = Buffer.alloc(2)
  portBytes.writeUInt16BE(Number(urlPort))
  await client.send(Buffer.concat([Buffer.of(5, 1, 0, 3, hostname.length), Buffer.from(hostname), portBytes]))
  expect([...await client.expectBytes(10)].slice(0, 2)).toEqual([5, 0])
  await client.send(`GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`)
  await client.expectHead()
  const body = await client.expect(PAGE)
  client.socket.destroy()
  return body.toString()
}

describe('The demonstration', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('prints lines that work over SOCKS5 and HTTP on one port, and ends on %s', async (signal) => {
    await using command = startNode('--input-type=module', '-e', RUN_DEMO)
    const lines = await curlLines(command)
    expect(lines.map(({ scheme }) => scheme)).toEqual(['socks5h', 'http'])
    expect(new Set(lines.map(({ port }) => port))).toEqual(new Set([await command.port()]))
    for (const line of lines) expect(await fetchBy(line)).toMatch(PAGE)
    await until(() => command.out().match(/accepted/g)?.length === 2, () => `two lines of access: ${command.out()}`)
    command.child.kill(signal)
    expect(await command.exit).toBe(0)
  })

  it('serves a CONNECT to its port, too', async () => {
    await using command = startNode('--input-type=module', '-e', RUN_DEMO)
    const [{ port, url } = { port: 0, url: new URL('http://none') }] = await curlLines(command)
    const client = new Peer(await connectTo(port), { stepMs: 10_000 })
    await client.send(`CONNECT ${url.host} HTTP/1.1\r\nHost: ${url.host}\r\n\r\nGET / HTTP/1.0\r\n\r\n`)
    expect(await client.expectHead()).toMatch(/^HTTP\/1.1 200 /)
    await client.expect(PAGE)
    client.socket.destroy()
  })

  it('carries its sessions over one connection of HTTP/2, and leaves nothing behind that keeps a process alive', async () => {
    await using command = startNode('--input-type=module', '-e', COUNT_CONNECTIONS)
    const lines = await curlLines(command)
    for (const line of [...lines, ...lines]) expect(await fetchBy(line)).toMatch(PAGE)
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(0)
    expect(command.out()).toContain('connections: 1\n')
  })

  it('is what the command runs without arguments: it says so when 127.0.0.1:1080 is taken, and leaves nothing open', async () => {
    const blocker = createServer()
    const isOurs = await new Promise<boolean>((resolve) => {
      blocker.once('listening', () => resolve(true)).once('error', () => resolve(false)).listen(1080, '127.0.0.1')
    })
    await using command = startCommand()
    const isListening = (): boolean => command.out().includes('listening on 127.0.0.1:1080 (mixed)')
    await until(() => isListening() || command.child.exitCode !== null, 'the command to say something', 10_000)
    // Somebody else who had it may have let go of it just now.
    if (!isOurs && isListening()) command.child.kill('SIGINT')
    expect(await command.exit).toBe(isListening() ? 0 : 1)
    const taken = isOurs ? 'Cannot listen on 127.0.0.1:1080' : 'Cannot listen on 127.0.0.1:'
    expect(command.err()).toContain(isListening() ? 'SIGINT' : taken)
    blocker.close()
  })
})
