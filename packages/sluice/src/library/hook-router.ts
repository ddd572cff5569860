import {
  createToken, formatEndpoint, printable, ProxyError, ROUTER, type Context, type Endpoint, type Module, type OutboundConfig,
  type Route, type Router,
} from '@sluice/core'
import { HookedUpstreams, UPSTREAM_TAG } from './hooked-upstreams.js'
import type { Upstream } from './upstream.js'

/** What a hook is told of a session. */
export interface ProxyRequest {
  readonly host: string
  readonly port: number
  /** As the inbound authenticated it. */
  readonly user?: string
  /** The client's address. */
  readonly source?: Endpoint
  /** Tag of the inbound. */
  readonly inbound: string
}

/**
 * What becomes of a session: `allow` (or nothing) leaves it to the rules of the config, `outbound` names an outbound by its tag,
 * `upstream` is a proxy of its own, and `refuse` says to the client why it is not served.
 */
export type RequestDecision =
  | 'allow' | undefined
  | { readonly outbound: string }
  | { readonly upstream: Upstream }
  | { readonly refuse: string }

/** Asked once per session, before anything is dialled. One that throws fails that session. */
export type RequestHook = (request: ProxyRequest) => RequestDecision | Promise<RequestDecision>

/** Where the rules of the config are found once the hook stands before them. */
const RULES = createToken<Router>('Router behind onRequest', 'sluice')

/** The modules with a hook before the router, and the outbound that a config then needs for the upstreams that the hook names. */
export function withRequestHook(list: readonly Module[], hook: RequestHook): { modules: Module[], outbounds: OutboundConfig[] } {
  const upstreams = new HookedUpstreams()
  const before: Module = {
    kind: 'feature',
    section: 'onRequest',
    provides: ROUTER,
    schema: { type: 'object', additionalProperties: false },
    create: (_settings, resolve): Router => new HookRouter(hook, resolve(RULES), upstreams),
  }
  const hooked = list.flatMap((module): Module[] =>
    module.kind === 'feature' && module.provides === ROUTER ? [{ ...module, provides: RULES }, before] : [module])
  return { modules: [...hooked, upstreams.outbound], outbounds: [HookedUpstreams.config as unknown as OutboundConfig] }
}

/** Asks the hook, and where that has no say the rules. */
class HookRouter implements Router {
  readonly #hook: RequestHook
  readonly #rules: Router
  readonly #upstreams: HookedUpstreams

  constructor(hook: RequestHook, rules: Router, upstreams: HookedUpstreams) {
    this.#hook = hook
    this.#rules = rules
    this.#upstreams = upstreams
  }

  async route(session: Context): Promise<Route | undefined> {
    const decision = await this.#hook(requestOf(session))
    session.signal.throwIfAborted()
    if (decision === undefined || decision === 'allow') return this.#rules.route(session)
    if ('outbound' in decision) return { outboundTag: decision.outbound, rule: 'onRequest' }
    if ('refuse' in decision) {
      const message = `Target ${printable(formatEndpoint(session.target))} is refused: ${printable(decision.refuse)}`
      throw new ProxyError('BLOCKED', message, { side: 'internal' })
    }
    this.#upstreams.choose(session, decision.upstream)
    return { outboundTag: UPSTREAM_TAG, rule: 'onRequest' }
  }
}

function requestOf({ target: { host, port }, user, source, inboundTag }: Context): ProxyRequest {
  return { host, port, inbound: inboundTag, ...(user && { user: user.name }), ...(source && { source }) }
}
