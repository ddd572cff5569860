import { inject, injectable, SETTINGS, type Context, type Route, type Router } from '@sluice/core'
import { valuesOf, type RoutingRule, type RoutingSettings } from './routing-settings.js'

interface CompiledRule {
  readonly route: Route
  matches(session: Context): boolean
}

/** Routes by the rules of a config. Everything is made ready at the start: a session costs a few look-ups in sets. */
@injectable()
export class RuleRouter implements Router {
  readonly #rules: readonly CompiledRule[]

  constructor(@inject(SETTINGS) { rules = [] }: RoutingSettings) {
    this.#rules = rules.map(compile)
  }

  /** The first rule that matches wins. */
  route(session: Context): Route | undefined {
    return this.#rules.find((rule) => rule.matches(session))?.route
  }
}

function compile({ inboundTag, network, outboundTag = '', ruleTag }: RoutingRule, index: number): CompiledRule {
  const inbounds = inboundTag === undefined ? undefined : new Set(valuesOf(inboundTag))
  const networks = network === undefined ? undefined : new Set(valuesOf(network))
  return {
    route: Object.freeze({ outboundTag, rule: ruleTag ?? `rules[${index}]` }),
    // A condition that the rule does not name is no condition, so `undefined` passes.
    matches: (session) => inbounds?.has(session.inboundTag) !== false && networks?.has(session.target.network) !== false,
  }
}
