import { formatEndpoint, printable, type Fault, type Listening } from '@sluice/core'
import { version } from './version.js'

/** What a start block tells of. The config may still be in any dialect; what is not understood is left out. */
export interface StartBlockOptions {
  readonly listening: readonly Listening[]
  readonly config: unknown
  readonly remarks: readonly Fault[]
}

/** What runs now, in lines: listeners, outbounds without their passwords, who takes sessions, and how much there is to be warned of. */
export function formatStartBlock({ listening, config, remarks }: StartBlockOptions): string[] {
  const { outbounds = [], routing = {} } = config as { outbounds?: readonly unknown[], routing?: { readonly rules?: readonly unknown[] } }
  const warnings = remarks.filter(({ severity }) => severity === 'warning').length
  return [
    ...formatListening(listening),
    ...outbounds.map((outbound) => `  outbound ${formatOutbound(outbound)}`),
    formatRoute(outbounds[0], routing.rules?.length ?? 0),
    ...(warnings === 0 ? [] : [`  ${warnings} ${warnings === 1 ? 'warning' : 'warnings'} about the config`]),
  ]
}

/** Where the inbounds listen, with the ports that the kernel picked. */
export function formatListening(listening: readonly Listening[]): string[] {
  const lines = listening.map(({ protocol, tag, address }) =>
    `  listening on ${formatEndpoint(address)} (${protocol})${tag === '' ? '' : ` [${tag}]`}`)
  if (lines.length === 0) lines.push('  nothing listens: the config has no inbounds')
  return [`sluice ${version}, pid ${process.pid}`, ...lines]
}

interface LooseOutbound {
  readonly tag?: string
  readonly protocol?: string
  readonly settings?: LooseServer & { readonly servers?: readonly LooseServer[] }
  readonly streamSettings?: { readonly security?: string }
  readonly proxySettings?: { readonly tag?: string }
}

interface LooseServer {
  readonly address?: string
  readonly port?: number | string
  readonly users?: readonly { readonly user?: string }[]
}

function formatOutbound(outbound: unknown): string {
  const { tag = '', protocol = '', settings = {}, streamSettings, proxySettings } = outbound as LooseOutbound
  const kind = streamSettings?.security === 'tls' ? `${protocol}, TLS` : protocol
  const servers = (settings.servers ?? [settings]).filter(({ address }) => address !== undefined).map(formatServer)
  const where = servers.length === 0 ? '' : `: ${servers.join(', ')}`
  const through = proxySettings?.tag === undefined ? '' : `, through ${proxySettings.tag}`
  return printable(`${tag === '' ? '' : `${tag} `}(${kind})${where}${through}`)
}

function formatServer({ address = '', port = '', users = [] }: LooseServer): string {
  const names = users.map(({ user = '' }) => `${user}:***@`)
  return `${names[0] ?? ''}${formatEndpoint({ host: address, port: Number(port) })}`
}

function formatRoute(first: unknown, rules: number): string {
  if (first === undefined) return '  no session is carried: the config has no outbounds'
  const { tag = '', protocol = '' } = first as LooseOutbound
  const before = rules === 0 ? '' : `, after ${rules} ${rules === 1 ? 'rule' : 'rules'}`
  return printable(`  sessions go to ${tag === '' ? protocol : tag}${before}`)
}
