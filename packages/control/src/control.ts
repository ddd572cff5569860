import {
  EVENTS, formatEndpoint, LISTENER_FACTORY, LIVE_SESSIONS, STATS_MANAGER, createToken,
  type Endpoint, type Feature, type Resolve, type Token,
} from '@sluice/core'
import { Admission } from './admission.js'
import type { ControlHub } from './control-hub.js'
import { answerRequest } from './control-routes.js'
import { ControlServer } from './control-server.js'
import { parseListen, type ControlSettings } from './control-settings.js'

/** The control interface of an instance whose config has the section `control`. */
export const CONTROL: Token<Control> = createToken<Control>('Control', '@sluice/control')

/** Tells over HTTP what an instance does, and lets sessions be ended and the config be reloaded. */
export class Control implements Feature {
  readonly #settings: ControlSettings
  readonly #hub: ControlHub
  readonly #resolve: Resolve
  #server: ControlServer | undefined
  #stopWatching = (): void => {}
  #address: Endpoint | undefined

  constructor(settings: ControlSettings, hub: ControlHub, resolve: Resolve) {
    this.#settings = settings
    this.#hub = hub
    this.#resolve = resolve
  }

  /** Where it listens; `undefined` before the start. */
  get address(): Endpoint | undefined {
    return this.#address
  }

  /** @throws what `listen(2)` says. */
  async start(): Promise<void> {
    const { listen, secret } = this.#settings
    const endpoint = parseListen(listen)
    if (endpoint === undefined) throw new TypeError(`Address "${listen}" passed the check`)
    const events = this.#resolve(EVENTS)
    const spec = { listen: endpoint.host, port: endpoint.port, stream: {}, handshakeMs: 0 }
    const onThrottled = (source: string): void => events.log('warning', `Too many wrong secrets at the control interface from ${source}`)
    this.#stopWatching = this.#hub.watch({ events, sessions: this.#resolve(LIVE_SESSIONS), stats: this.#resolve(STATS_MANAGER) })
    this.#server = new ControlServer({
      // Listeners are made after the features, so that this is the first moment to ask for one.
      listener: this.#resolve(LISTENER_FACTORY).create(spec),
      admission: new Admission({ onThrottled, ...(secret === undefined ? {} : { secret }) }),
      events,
      answer: (method, url) => answerRequest(this.#hub, method, url),
    })
    this.#address = await this.#server.start()
    events.log('info', `The control interface listens on ${formatEndpoint(this.#address)}`)
  }

  async close(): Promise<void> {
    this.#stopWatching()
    await this.#server?.close()
  }
}
