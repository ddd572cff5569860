import { once } from 'node:events'
import { get as httpGet, type ClientRequest, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer, get as httpsGet } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { connectProxy, createCertificates, http2ConnectProxy, startHttpTarget, until } from '@sluice/testkit'
import { Agent, fetch } from 'undici'
import { describe, expect, it } from 'vitest'
import { agent, connector, createInstance, modules, type Upstream } from '../src/index.js'

const certificates = await createCertificates()
const tls = await certificates.issue()
const ca = certificates.ca.certPem

/** An upstream that speaks TLS with a certificate of our own authority. */
const secureUpstream = (port: number): Upstream => ({
  protocol: 'http',
  settings: { servers: [{ address: 'localhost', port }] },
  streamSettings: {
    security: 'tls', tlsSettings: { disableSystemRoot: true, certificates: [{ usage: 'verify', certificate: ca.split('\n') }] },
  },
})

async function bodyOf(request: ClientRequest): Promise<string> {
  const [response] = await once(request, 'response') as [IncomingMessage]
  return text(response)
}

/** An HTTPS server that answers with the path asked for. */
async function secureTarget(): Promise<AsyncDisposable & { readonly port: number, readonly connections: () => number }> {
  let connections = 0
  const server = createHttpsServer({ cert: tls.certPem, key: tls.keyPem }, (request, response) => response.end(request.url))
  server.on('secureConnection', () => { connections++ })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('agent()', () => {
  it('tunnels requests of node:http, with a password, and keeps the connection for the next', async () => {
    await using target = await startHttpTarget((_request, response) => response.end('hello'))
    await using proxy = await connectProxy({ auth: { user: 'me', pass: 'se:cret' } })
    await using via = agent(`http://me:se%3Acret@127.0.0.1:${proxy.port}`)
    for (let round = 0; round < 3; round++) expect(await bodyOf(httpGet(`http://127.0.0.1:${target.port}/`, { agent: via.http }))).toBe('hello')
    expect(proxy.requests).toHaveLength(1)
    expect(proxy.requests[0]).toMatch(new RegExp(`^CONNECT 127.0.0.1:${target.port} `))
  })

  it('puts TLS to the target on the tunnel for node:https, and checks the certificate', async () => {
    await using target = await secureTarget()
    await using proxy = await connectProxy()
    await using via = agent(`http://127.0.0.1:${proxy.port}`, { ca })
    const url = `https://localhost:${target.port}`
    for (const path of ['/a', '/b']) expect(await bodyOf(httpsGet(`${url}${path}`, { agent: via.https }))).toBe(path)
    expect(proxy.requests).toHaveLength(1)
    await using strict = agent(`http://127.0.0.1:${proxy.port}`)
    await expect(bodyOf(httpsGet(url, { agent: strict.https }))).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })

  it('tunnels plain and secure requests over one connection of HTTP/2', async () => {
    await using target = await secureTarget()
    await using plain = await startHttpTarget((_request, response) => response.end('plain'))
    await using proxy = await http2ConnectProxy({ tls })
    await using via = agent(secureUpstream(proxy.port), { ca })
    for (let round = 0; round < 2; round++) {
      expect(await bodyOf(httpsGet(`https://localhost:${target.port}/x`, { agent: via.https }))).toBe('/x')
      expect(await bodyOf(httpGet(`http://127.0.0.1:${plain.port}/`, { agent: via.http }))).toBe('plain')
    }
    expect(proxy.connections).toBe(1)
    expect(proxy.requests).toHaveLength(2)
  })

  it('goes by the rules of an instance, which counts the session', async () => {
    await using target = await startHttpTarget((_request, response) => response.end('direct'))
    await using instance = createInstance({ outbounds: [{ protocol: 'freedom', tag: 'direct' }] }, { modules })
    await instance.start()
    await using via = agent(instance)
    const opened: string[] = []
    instance.events.on('session:open', ({ record }) => opened.push(record.outboundTag ?? ''))
    expect(await bodyOf(httpGet(`http://127.0.0.1:${target.port}/`, { agent: via.http }))).toBe('direct')
    expect(opened).toEqual(['direct'])
  })

  it('fails a request with the reason of the upstream', async () => {
    await using proxy = await connectProxy({ behaviour: 'refuse', status: 403 })
    await using via = agent(`http://127.0.0.1:${proxy.port}`)
    await expect(bodyOf(httpGet('http://a.test/', { agent: via.http }))).rejects.toMatchObject({ code: 'STATUS', status: 403 })
  })

  it('breaks a dial off when the request\'s signal aborts', async () => {
    await using proxy = await connectProxy({ behaviour: 'stall' })
    await using via = agent(`http://127.0.0.1:${proxy.port}`)
    const controller = new AbortController()
    const request = httpGet('http://a.test/', { agent: via.http, signal: controller.signal })
    await until(() => proxy.requests.length === 1, 'the CONNECT')
    controller.abort()
    await expect(bodyOf(request)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('refuses an upstream that it cannot speak with', () => {
    expect(() => agent('socks5://127.0.0.1:1')).toThrow('use http:// or https://')
  })
})

describe('connector()', () => {
  it('serves fetch over plain and secure tunnels', async () => {
    await using target = await secureTarget()
    await using plain = await startHttpTarget((_request, response) => response.end('plain'))
    await using proxy = await connectProxy()
    await using connect = connector(`http://127.0.0.1:${proxy.port}`, { ca })
    const dispatcher = new Agent({ connect })
    expect(await (await fetch(`https://localhost:${target.port}/x`, { dispatcher })).text()).toBe('/x')
    expect(await (await fetch(`http://127.0.0.1:${plain.port}/`, { dispatcher })).text()).toBe('plain')
    expect(proxy.requests).toHaveLength(2)
    await dispatcher.close()
  })

  it('carries a thousand fetches at once over a few connections of HTTP/2', async () => {
    await using target = await startHttpTarget((_request, response) => response.end('ok'))
    await using proxy = await http2ConnectProxy({ tls })
    await using connect = connector(secureUpstream(proxy.port))
    const dispatcher = new Agent({ connect, connections: 250 })
    const url = `http://127.0.0.1:${target.port}/`
    const bodies = await Promise.all(Array.from({ length: 1_000 }, async () => (await fetch(url, { dispatcher })).text()))
    expect(bodies.every((body) => body === 'ok')).toBe(true)
    expect(proxy.requests).toHaveLength(250)
    expect(proxy.connections).toBeLessThanOrEqual(8)
    await dispatcher.close()
  }, 20_000)

  it('fails a fetch with the reason of the upstream', async () => {
    await using proxy = await connectProxy({ behaviour: 'refuse', status: 502 })
    await using connect = connector(`http://127.0.0.1:${proxy.port}`)
    const dispatcher = new Agent({ connect })
    await expect(fetch('http://a.test/', { dispatcher })).rejects.toMatchObject({ cause: { code: 'STATUS', status: 502 } })
    await dispatcher.close()
  })
})
