import type { Endpoint } from './contracts/destination.js'

/** How many wrong log-ins are too many; only tests change it. */
export interface LoginThrottleOptions {
  /** @default 10 */
  readonly failures?: number
  /** How long they count, in ms. @default 60_000 */
  readonly windowMs?: number
  /** Sources that are remembered at once; beyond that the one is forgotten that began to fail first. @default 4_096 */
  readonly sources?: number
  /** Told of a source that is refused from now on. */
  readonly onThrottled?: (source: string) => void
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number
}

/** What became of a log-in. `throttled`: it was not looked at, because too many from its source were wrong. */
export type LoginResult = 'accepted' | 'wrong' | 'throttled'

interface Failures {
  count: number
  readonly since: number
}

/**
 * Keeps clients from guessing passwords: after 10 wrong ones from a source, whatever else it sends within the minute is refused unheard,
 * the right password too, so that a guess tells nothing.
 *
 * A source is an IPv4 address, or an IPv6 network of 64 bits, which is what one client has. What is remembered is bounded.
 *
 * @example
 * ```ts
 * import { Accounts, LoginThrottle } from '@sluice/core'
 *
 * const accounts = new Accounts([{ user: 'me', pass: 'secret' }])
 * const throttle = new LoginThrottle()
 * const result = throttle.attempt('192.0.2.1', () => accounts.verify('me', 'guess'))
 * console.log(result) // wrong
 * ```
 */
export class LoginThrottle {
  readonly #options: Required<LoginThrottleOptions>
  readonly #failures = new Map<string, Failures>()

  constructor(options: LoginThrottleOptions = {}) {
    const { failures = 10, windowMs = 60_000, sources = 4_096, onThrottled = () => {}, now = () => performance.now() } = options
    this.#options = { failures, windowMs, sources, onThrottled, now }
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#failures.size
  }

  /**
   * Lets `verify` judge a log-in, unless its source has guessed too often.
   * @param source The client's address; one that is not known is a source like any other.
   */
  attempt(source: Endpoint['host'] | undefined, verify: () => boolean): LoginResult {
    const key = sourceOf(source)
    const { failures, windowMs, onThrottled, now } = this.#options
    const at = now()
    const seen = this.#failures.get(key)
    const isOver = seen !== undefined && at - seen.since >= windowMs
    if (isOver) this.#failures.delete(key)
    const known = isOver ? undefined : seen
    if (known !== undefined && known.count >= failures) return 'throttled'
    if (verify()) return 'accepted'
    const counted = known ?? this.#remember(key, at)
    counted.count++
    if (counted.count === failures) onThrottled(key)
    return 'wrong'
  }

  #remember(key: string, since: number): Failures {
    const [oldest] = this.#failures.keys()
    if (oldest !== undefined && this.#failures.size >= this.#options.sources) this.#failures.delete(oldest)
    const seen = { count: 0, since }
    this.#failures.set(key, seen)
    return seen
  }
}

/** Who has one address of an IPv6 network usually has all of its /64. */
function sourceOf(address = ''): string {
  if (!address.includes(':') || address.toLowerCase().startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':')
    while (groups.length + behind.length < 8) groups.push('0')
    groups.push(...behind)
  }
  return groups.slice(0, 4).join(':')
}
