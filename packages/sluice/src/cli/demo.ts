import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInstance, type Config, type Instance } from '@sluice/core'
import { modules } from '../modules.js'
import { serve } from './serve.js'

const SOCKS_PORT = 1080
const HTTP_PORT = 8118

/**
 * Runs the embedded default: SOCKS5 on 127.0.0.1:1080 and HTTP on 127.0.0.1:8118, whose sessions go through an HTTP proxy with Basic
 * authentication that runs in the same process, and a page to fetch, so that the printed lines work without a network.
 */
export async function runDemo(): Promise<void> {
  const account = { user: 'demo', pass: randomBytes(12).toString('hex') }
  await using upstream = createInstance(upstreamConfig(account), { modules })
  await upstream.start()
  const page = await startPage()
  try {
    await serve(createInstance(localConfig(portOf(upstream), account), { modules }), { greeting: () => greeting(page) })
  } finally {
    page.close()
    page.closeAllConnections()
    await upstream.stop({ drainMs: 0 })
  }
}

interface DemoAccount {
  readonly user: string
  readonly pass: string
}

function upstreamConfig(account: DemoAccount): Config {
  return {
    inbounds: [{ tag: 'upstream', protocol: 'http', port: 0, settings: { accounts: [account] } }],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  }
}

function localConfig(upstreamPort: number, account: DemoAccount): Config {
  return {
    log: { access: '', loglevel: 'warning' },
    inbounds: [
      { tag: 'socks', protocol: 'socks', port: SOCKS_PORT },
      { tag: 'http', protocol: 'http', port: HTTP_PORT },
    ],
    outbounds: [
      { tag: 'proxy', protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port: upstreamPort, users: [account] }] } },
    ],
  }
}

function portOf(upstream: Instance): number {
  const [listening] = upstream.listening
  if (listening === undefined) throw new Error('The upstream of the demonstration does not listen')
  return listening.address.port
}

async function startPage(): Promise<Server> {
  const page = createServer((_request, response) => response.end('It works: this page came through CONNECT.\n'))
  page.listen(0, '127.0.0.1')
  await once(page, 'listening')
  return page
}

function greeting(page: Server): string[] {
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/`
  return [
    '  through an HTTP proxy with a password that runs in this process; yours goes in with -F, see --help',
    'Try:',
    `  curl -x socks5h://127.0.0.1:${SOCKS_PORT} ${url}`,
    `  curl -p -x http://127.0.0.1:${HTTP_PORT} ${url}`,
    `  curl -x socks5h://127.0.0.1:${SOCKS_PORT} https://example.com/`,
  ]
}
