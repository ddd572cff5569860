import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInstance, formatEndpoint, type Config, type Endpoint, type Instance } from '@sluice/core'
import { modules } from '../modules.js'
import type { DemoCertificate } from './demo-certificate.js'
import { untilStopped } from './serve.js'
import { formatListening } from './start-block.js'

const PORT = 1080
/** Where many tools look for a local HTTP proxy. */
const HTTP_PORT = 8118
const SERVER_NAME = 'upstream.sluice.invalid'

export interface DemoOptions {
  /** On 127.0.0.1; 0: the kernel picks one. @default 1080, and 8118 for HTTP alone */
  readonly port?: number
}

/** The parts of the demonstration. Disposing it stops the upstream and the page. */
export interface Demo extends AsyncDisposable {
  /** Where clients go. Not started yet. */
  readonly local: Instance
  /** The proxy that `local` goes through. */
  readonly upstream: Instance
  /** What to try, once `local` listens. */
  greeting(): readonly string[]
}

/**
 * Runs the embedded default: SOCKS5 and HTTP on 127.0.0.1:1080 (HTTP on 8118 as well), whose sessions go over TLS and HTTP/2 through
 * a proxy with a password that runs in the same process, and a page to fetch, so that the printed lines work without a network.
 */
export async function runDemo(options: DemoOptions = {}): Promise<void> {
  await using demo = await createDemo(options)
  await demo.local.start()
  process.stdout.write(`${[...formatListening(demo.local.listening), ...demo.greeting()].join('\n')}\n`)
  await untilStopped(demo.local)
}

/** Makes the parts of the demonstration and starts all but the first. */
export async function createDemo({ port = PORT }: DemoOptions = {}): Promise<Demo> {
  // Nobody else has to wait for a library that makes certificates.
  const { createDemoCertificate } = await import('./demo-certificate.js')
  const certificate = await createDemoCertificate(SERVER_NAME)
  const account = { user: 'demo', pass: randomBytes(12).toString('hex') }
  const upstream = createInstance(upstreamConfig(certificate, account), { modules })
  await upstream.start()
  const page = await startPage()
  const local = createInstance(localConfig(port, addressOf(upstream).port, certificate, account), { modules })
  return {
    local,
    upstream,
    greeting: () => greeting(addressOf(local), page.address() as AddressInfo),
    async [Symbol.asyncDispose]() {
      page.close()
      page.closeAllConnections()
      await upstream.stop({ drainMs: 0 })
    },
  }
}

interface DemoAccount {
  readonly user: string
  readonly pass: string
}

function upstreamConfig(certificate: DemoCertificate, account: DemoAccount): Config {
  return {
    inbounds: [{
      tag: 'upstream', protocol: 'http', port: 0, settings: { accounts: [account] },
      streamSettings: { security: 'tls', tlsSettings: { certificates: [certificate] } },
    }],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  }
}

function localConfig(port: number, upstreamPort: number, { certificate }: DemoCertificate, account: DemoAccount): Config {
  const trusted = [{ usage: 'verify', certificate }] as const
  return {
    log: { access: '', loglevel: 'warning' },
    inbounds: [
      { tag: 'local', protocol: 'mixed', port },
      ...(port === PORT ? [{ tag: 'http', protocol: 'http', port: HTTP_PORT } as const] : []),
    ],
    outbounds: [{
      tag: 'proxy', protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port: upstreamPort, users: [account] }] },
      streamSettings: { security: 'tls', tlsSettings: { serverName: SERVER_NAME, disableSystemRoot: true, certificates: trusted } },
    }],
  }
}

function addressOf({ listening }: Instance): Endpoint {
  const [first] = listening
  if (first === undefined) throw new Error('The demonstration does not listen')
  return first.address
}

async function startPage(): Promise<Server> {
  const page = createServer((_request, response) => response.end('It works: this page came through CONNECT.\n'))
  page.listen(0, '127.0.0.1')
  await once(page, 'listening')
  return page
}

function greeting(local: Endpoint, page: AddressInfo): string[] {
  const [proxy, url] = [formatEndpoint(local), `http://127.0.0.1:${page.port}/`]
  return [
    '  through a proxy with a password that runs in this process, over TLS and HTTP/2; yours goes in with -F, see --help',
    'Try:',
    `  curl -x socks5h://${proxy} ${url}`,
    `  curl -x http://${proxy} ${url}`,
    `  curl -x socks5h://${proxy} https://example.com/`,
  ]
}
