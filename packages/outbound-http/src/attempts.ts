import { setTimeout as delay } from 'node:timers/promises'
import { ERROR_CODES, formatEndpoint, ProxyError, toProxyError, type Context } from '@sluice/core'
import type { Account } from './account.js'
import type { Attempt } from './attempt.js'
import { Race, type TryOnce } from './race.js'
import type { Server } from './server.js'
import type { ServerPicker } from './server-picker.js'

const MAX_ATTEMPTS = 5
const ROUND_PAUSE_MS = 100
const PAUSE_JITTER = 0.2
/** All attempts of a session together may take this many times the handshake limit. */
const MAX_HANDSHAKES = 3
/** With less than this share of its limit left, an attempt would fail by our haste, and the server would be blamed for it. */
const MIN_SHARE = 0.25

export interface RunOptions<T> {
  /** Gets rid of what opened too late. */
  readonly discard: (value: T) => void
  /** Whether the last failure is the session's; asked after each. @default no */
  readonly isFinal?: () => boolean
}

/**
 * The tries of one session: which server is next, when to pause, and when to give up.
 *
 * No pause while a server is untried; then 100, 200, 300, 400 ms between rounds, each less up to 20 % at random, and none after
 * the last try. What follows a failure is its code's `again`; a refused account is not sent again, another of the same server may be.
 * Once in a session, a server that gives no connection for 1 s does not stop the next one from being tried beside it.
 */
export class Attempts {
  readonly #ctx: Context
  readonly #servers: readonly Server[]
  readonly #picker: ServerPicker
  readonly #handshakeMs: (account: Account | undefined) => number
  readonly #startedAt = performance.now()
  readonly #errors: ProxyError[] = []
  readonly #excluded = new Set<Server>()
  readonly #refused = new Set<Account>()
  readonly #triedThisRound = new Set<Server>()
  #round = 0
  #tries = 0
  #hasRaced = false

  constructor(ctx: Context, servers: readonly Server[], picker: ServerPicker, handshakeMs: (account: Account | undefined) => number) {
    this.#ctx = ctx
    this.#servers = servers
    this.#picker = picker
    this.#handshakeMs = handshakeMs
  }

  /** Tries until one succeeds. @throws {ProxyError} the only failure, or the last with all of them in `attempts`. */
  async run<T>(tryOnce: TryOnce<T>, { discard, isFinal = () => false }: RunOptions<T>): Promise<T> {
    const { signal } = this.#ctx
    const failed = (attempt: Attempt, error: unknown): void => {
      signal.throwIfAborted()
      this.#learn(attempt, toProxyError(error))
      if (isFinal()) throw this.#summary()
    }
    const second = (): Attempt | undefined => this.#second()
    for (;;) {
      signal.throwIfAborted()
      const attempt = await this.#next()
      if (attempt === undefined) throw this.#summary()
      const opened = await new Race({ signal, tryOnce, failed, second, discard }).run(attempt)
      if (opened !== undefined) return opened
    }
  }

  /** The next attempt, after a pause if all candidates had their turn; `undefined` when nothing is left to try, or no time. */
  async #next(): Promise<Attempt | undefined> {
    if (this.#tries >= MAX_ATTEMPTS) return undefined
    if (this.#candidates().every((server) => this.#triedThisRound.has(server)) && !(await this.#nextRound())) return undefined
    return this.#pick(this.#untried())
  }

  /** What to try beside a server that gives no connection: one that was not tried yet and is well. */
  #second(): Attempt | undefined {
    if (this.#hasRaced || this.#tries >= MAX_ATTEMPTS) return undefined
    this.#hasRaced = true
    return this.#pick(this.#untried().filter(({ health }) => !health.isResting))
  }

  #untried(): readonly Server[] {
    return this.#candidates().filter((server) => !this.#triedThisRound.has(server))
  }

  #pick(untried: readonly Server[]): Attempt | undefined {
    if (untried.length === 0) return undefined
    const server = this.#picker.pick(untried)
    this.#triedThisRound.add(server)
    const accounts = this.#accountsOf(server)
    const account = accounts[Math.floor(Math.random() * accounts.length)]
    const limitMs = this.#limitMs(account)
    if (limitMs === undefined) return undefined
    this.#tries++
    return { server, limitMs, ...(account === undefined ? {} : { account }) }
  }

  /** The servers that may still be asked. Other sessions may learn meanwhile that an account is refused. */
  #candidates(): readonly Server[] {
    return this.#servers.filter((server) => !this.#excluded.has(server) && this.#accountsOf(server).length > 0)
  }

  /** Pauses, and gives all candidates a turn again. @returns `false` at once if there are none, or no time is left after it. */
  async #nextRound(): Promise<boolean> {
    const pauseMs = ROUND_PAUSE_MS * ++this.#round * (1 - PAUSE_JITTER * Math.random())
    const accounts = this.#candidates().flatMap((server) => this.#accountsOf(server))
    if (accounts.every((account) => this.#limitMs(account, pauseMs) === undefined)) return false
    const { signal } = this.#ctx
    // The timer's own rejection hides the session's reason.
    await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    this.#triedThisRound.clear()
    return true
  }

  /** The accounts that may be used, empty if all were refused. A server without accounts has one choice: none. */
  #accountsOf(server: Server): readonly (Account | undefined)[] {
    if (server.accounts.length === 0) return [undefined]
    return server.usableAccounts.filter((account) => !this.#refused.has(account))
  }

  /** What is left for an attempt with this account after a pause: 0 for no limit, `undefined` if too little is. */
  #limitMs(account: Account | undefined, pauseMs = 0): number | undefined {
    const handshakeMs = this.#handshakeMs(account)
    if (handshakeMs === 0) return 0
    const leftMs = Math.floor(MAX_HANDSHAKES * handshakeMs - (performance.now() - this.#startedAt) - pauseMs)
    return leftMs < MIN_SHARE * handshakeMs ? undefined : Math.min(handshakeMs, leftMs)
  }

  #learn({ server, account }: Attempt, error: ProxyError): void {
    this.#errors.push(error)
    if (error.code === 'AUTH' && account !== undefined && error.server === server.name) {
      this.#refused.add(account)
      this.#triedThisRound.delete(server)
      return
    }
    switch (ERROR_CODES[error.code].again) {
      case 'never': throw this.#summary()
      case 'other': this.#excluded.add(server); break
      case 'connection': this.#triedThisRound.delete(server); break
      case 'next': break
    }
  }

  #summary(): ProxyError {
    const last = this.#errors.at(-1)
    if (last === undefined) return this.#nothingTried()
    if (this.#errors.length === 1) return last
    const { code, side, phase, server, status, retryAfterMs } = last
    const told = this.#errors.map(({ message }) => message)
    const distinct = [...new Set(told)].map((message) => {
      const times = told.filter((other) => other === message).length
      return times === 1 ? message : `${message} (${times} times)`
    })
    return new ProxyError(code, `Cannot reach ${formatEndpoint(this.#ctx.target)}: ${distinct.join('; ')}`, {
      side, attempts: this.#errors, cause: last,
      ...(phase && { phase }), ...(server && { server }), ...(status && { status }), ...(retryAfterMs && { retryAfterMs }),
    })
  }

  #nothingTried(): ProxyError {
    const refusal = this.#servers.flatMap(({ accounts }) => accounts).find((account) => account.refusal !== undefined)?.refusal
    if (refusal === undefined) return new ProxyError('TIMEOUT', 'Cannot try any server within the handshake limit', { phase: 'dial' })
    const { server, status } = refusal
    return new ProxyError('AUTH', `${refusal.message}; not asked again until restart`, {
      phase: 'connect', cause: refusal, ...(server && { server }), ...(status && { status }),
    })
  }
}
