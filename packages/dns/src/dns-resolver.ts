import { isIP } from 'node:net'
import { printable, ProxyError, type Resolver } from '@sluice/core'
import { AnswerCache } from './answer-cache.js'
import { serversFor, typesOf, type ConfiguredServer, type Fallback } from './configured-server.js'
import type { FixedHosts } from './fixed-hosts.js'
import type { AddressType, Answer } from './name-server.js'
import { SharedWork } from './shared-work.js'

const MAX_NAME_LENGTH = 253
const LABEL = /^[^.\s]{1,63}$/

/** What a resolver is made of. */
export interface DnsResolverOptions extends Fallback {
  readonly hosts: FixedHosts
  readonly servers: readonly ConfiguredServer[]
  readonly disableCache: boolean
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly now?: () => number
}

/**
 * Resolves names by fixed hosts and by servers in turn: one that fails, has no address or none of those expected is followed by the
 * next. Whoever asks for the same name at the same time shares the question.
 */
export class DnsResolver implements Resolver {
  readonly #options: DnsResolverOptions
  readonly #cache: AnswerCache
  readonly #work = new SharedWork<readonly string[]>()

  constructor(options: DnsResolverOptions) {
    this.#options = options
    this.#cache = new AnswerCache(options.now ?? (() => performance.now()))
  }

  async resolve(
    name: string, { family, signal }: { readonly family: 0 | 4 | 6, readonly signal: AbortSignal },
  ): Promise<readonly string[]> {
    signal.throwIfAborted()
    const asked = name.toLowerCase().replace(/\.$/, '')
    if (isIP(asked) !== 0) return this.#ofFamily(asked, [asked], family)
    const fixed = this.#options.hosts.find(asked)
    if ('addresses' in fixed) return this.#ofFamily(asked, fixed.addresses, family)
    const wanted = fixed.name
    const isName = wanted.length <= MAX_NAME_LENGTH && wanted.split('.').every((label) => LABEL.test(label))
    if (!isName) throw failure(asked, 'this is no host name')
    return this.#work.run(`${family} ${wanted}`, (shared) => this.#ask(wanted, family, shared), signal)
  }

  close(): void {
    this.#work.close(failure('names', 'the proxy stops'))
    for (const { server } of this.#options.servers) server.close?.()
  }

  /** Most wanted first: as they are given, of both families IPv4 before IPv6. */
  #ofFamily(name: string, addresses: readonly string[], family: 0 | 4 | 6): readonly string[] {
    const found = addresses.filter((address) => family === 0 || isIP(address) === family)
    if (found.length === 0) throw failure(name, 'it has no address of this family')
    return found
  }

  async #ask(name: string, family: 0 | 4 | 6, signal: AbortSignal): Promise<readonly string[]> {
    let why = 'no server has addresses of this family'
    let cause: unknown
    for (const configured of serversFor(name, this.#options.servers, this.#options)) {
      const types = typesOf(configured.strategy, family)
      if (types.length === 0) continue
      const { label } = configured.server
      try {
        const addresses = await this.#askOne(configured, name, types, signal)
        if (addresses.length > 0) return addresses
        why = `server ${label} has no address of it that is wanted`
      } catch (error) {
        signal.throwIfAborted()
        cause = error
        why = `server ${label} ${printable((error as Error).message)}`
      }
    }
    throw failure(name, why, cause)
  }

  /** One family's failure is no failure as long as the other has addresses. */
  async #askOne(
    configured: ConfiguredServer, name: string, types: readonly AddressType[], signal: AbortSignal,
  ): Promise<readonly string[]> {
    const results = await Promise.allSettled(types.map((type) => this.#askFor(configured, name, type, signal)))
    const addresses = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    const failed = results.find((result) => result.status === 'rejected')
    if (addresses.length === 0 && failed !== undefined) throw failed.reason
    const { isExpected } = configured
    return isExpected === undefined ? addresses : addresses.filter(isExpected)
  }

  async #askFor({ server, timeoutMs }: ConfiguredServer, name: string, type: AddressType, signal: AbortSignal): Promise<readonly string[]> {
    const key = `${server.label} ${type} ${name}`
    const known = this.#options.disableCache ? undefined : this.#cache.get(key)
    if (known !== undefined) return known
    const answer = await withLimit(signal, timeoutMs, (limited) => server.query(name, type, limited))
    if (!this.#options.disableCache) this.#cache.set(key, answer)
    return answer.addresses
  }
}

/** Also where the one who is asked cannot be broken off: its answer is then not waited for. */
async function withLimit(parent: AbortSignal, limitMs: number, query: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
  const controller = new AbortController()
  const follow = (): void => controller.abort(parent.reason)
  const timer = setTimeout(() => controller.abort(new Error(`gave no answer within ${limitMs} ms`)), limitMs)
  parent.addEventListener('abort', follow)
  const { signal } = controller
  try {
    parent.throwIfAborted()
    const over = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))
    return await Promise.race([query(signal), over])
  } finally {
    clearTimeout(timer)
    parent.removeEventListener('abort', follow)
  }
}

function failure(name: string, why: string, cause?: unknown): ProxyError {
  return new ProxyError('DNS', `Cannot resolve "${printable(name)}": ${why}`, { phase: 'dns', ...(cause === undefined ? {} : { cause }) })
}
