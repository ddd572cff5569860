import { once } from 'node:events'
import type { Config, Listening } from '@sluice/core'
import { connectProxy, connectTo, createCertificates, startTarget, until } from '@sluice/testkit'
import { canonicalConfig } from '../src/cli/canonical-config.js'
import { createInstance, modules } from '../src/index.js'

type Loose = Record<string, unknown>
interface Account { readonly user: string, readonly pass: string }

const certificates = await createCertificates()
const lines = (pem: string): string[] => pem.trim().split('\n')
const list = (value: unknown): Loose[] => Array.isArray(value) ? value as Loose[] : []

/**
 * Runs a config that was read, with ports from the kernel and with upstream proxies of our own in the place of those that it names,
 * and fetches a banner through each of its inbounds.
 *
 * @returns what came, by the tag or else protocol of each inbound; and how many requests the upstream proxies saw.
 */
export async function carryTraffic(normalized: unknown): Promise<{ readonly banners: readonly string[], readonly requests: number }> {
  const { certPem, keyPem } = await certificates.issue({ names: ['proxy.test'] })
  await using target = await startTarget('banner')
  await using plain = await connectProxy()
  await using secure = await connectProxy({ tls: { certPem, keyPem, alpn: ['http/1.1'] } })
  const config = canonicalConfig(normalized) as Loose
  const inbounds = list(config['inbounds'])
  const local = {
    ...config,
    log: { access: 'none', error: 'none' },
    inbounds: inbounds.map((inbound) => ({ ...inbound, listen: '127.0.0.1', port: 0 })),
    outbounds: list(config['outbounds']).map((outbound) => localOutbound(outbound, plain.port, secure.port)),
  }
  await using instance = createInstance(local as unknown as Config, { modules })
  await instance.start()
  const banners = []
  for (const [index, listening] of instance.listening.entries()) {
    const [account] = list((inbounds[index]?.['settings'] as Loose | undefined)?.['accounts'])
    banners.push(await fetchBanner(listening, target.port, account as unknown as Account | undefined))
  }
  return { banners, requests: plain.requests.length + secure.requests.length }
}

function localOutbound(outbound: Loose, plainPort: number, securePort: number): Loose {
  const { settings, streamSettings = {} } = outbound as { settings?: Loose, streamSettings?: Loose }
  if (outbound['protocol'] !== 'http') return outbound
  const isSecure = streamSettings['security'] === 'tls'
  const trusted = { disableSystemRoot: true, serverName: 'proxy.test', certificates: [{ usage: 'verify', certificate: lines(certificates.ca.certPem) }] }
  return {
    ...outbound,
    settings: {
      ...settings,
      servers: list(settings?.['servers']).map((server) => ({ ...server, address: '127.0.0.1', port: isSecure ? securePort : plainPort })),
    },
    streamSettings: isSecure ? { ...streamSettings, tlsSettings: { ...streamSettings['tlsSettings'] as Loose, ...trusted } } : streamSettings,
  }
}

async function fetchBanner({ protocol, address }: Listening, port: number, account?: Account): Promise<string> {
  const socket = await connectTo(address.port)
  let text = ''
  socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1') })
  const closed = once(socket, 'close')
  const says = (bytes: Uint8Array | string, answer: string): Promise<void> => {
    socket.write(bytes)
    return until(() => text.includes(answer) || socket.readableEnded || socket.destroyed, () => `an answer of ${protocol}: ${text}`, 5_000)
  }
  if (protocol === 'http') {
    const basic = account === undefined ? '' : `Proxy-Authorization: Basic ${Buffer.from(`${account.user}:${account.pass}`).toString('base64')}\r\n`
    await says(`CONNECT localhost:${port} HTTP/1.1\r\nHost: localhost:${port}\r\n${basic}\r\n`, 'SSH-')
  } else {
    await says(Buffer.from([5, 1, account === undefined ? 0 : 2]), '\u0005')
    if (account !== undefined) {
      await says(Buffer.from(`\u0001${sized(account.user)}${sized(account.pass)}`, 'latin1'), '\u0001\u0000')
    }
    await says(Buffer.concat([Buffer.from(`\u0005\u0001\u0000\u0003${sized('localhost')}`, 'latin1'), Buffer.from([port >> 8, port & 255])]), 'SSH-')
  }
  socket.destroy()
  await closed
  return /SSH-[\d.]+/.exec(text)?.[0] ?? `nothing but ${JSON.stringify(text)}`
}

function sized(text: string): string {
  return String.fromCharCode(text.length) + text
}
