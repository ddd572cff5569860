import type { PolicyManager, StatsManager } from '../contracts/features.js'
import type { Session } from './session.js'

/** Lets a session count for its inbound's tag and its user while it lives. User and inbound counters are sums of records. */
export class SessionCounters {
  readonly #stats: StatsManager
  readonly #policies: PolicyManager

  constructor(stats: StatsManager, policies: PolicyManager) {
    this.#stats = stats
    this.#policies = policies
  }

  /** @returns Ends the counting; the session's figures stay. */
  attach(session: Session): () => void {
    const { record, inboundTag, user } = session
    const releases: (() => void)[] = []
    const count = (wanted: boolean, name: string, read: () => number): void => {
      const release = wanted ? this.#stats.counter(name)?.attach(read) : undefined
      if (release !== undefined) releases.push(release)
    }
    const { system } = this.#policies
    if (inboundTag !== '') {
      count(system.statsInboundUplink, `inbound>>>${inboundTag}>>>traffic>>>uplink`, () => record.uplinkBytes)
      count(system.statsInboundDownlink, `inbound>>>${inboundTag}>>>traffic>>>downlink`, () => record.downlinkBytes)
    }
    if (user !== undefined && user.name !== '') {
      const { statsUserUplink, statsUserDownlink } = this.#policies.forLevel(user.level)
      count(statsUserUplink, `user>>>${user.name}>>>traffic>>>uplink`, () => record.uplinkBytes)
      count(statsUserDownlink, `user>>>${user.name}>>>traffic>>>downlink`, () => record.downlinkBytes)
    }
    return () => {
      for (const release of releases) release()
    }
  }
}
