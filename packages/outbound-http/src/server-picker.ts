import type { Server } from './server.js'

/** Takes servers in turn, one for each attempt of any session, and those that rest only where nothing else is left. */
export class ServerPicker {
  readonly #servers: readonly Server[]
  #next = 0

  constructor(servers: readonly Server[]) {
    this.#servers = servers
  }

  /** @param candidates At least one of the servers. */
  pick(candidates: readonly Server[]): Server {
    const count = this.#servers.length
    for (let step = 0; step < count; step++) {
      const index = (this.#next + step) % count
      const server = this.#servers[index]
      if (server !== undefined && candidates.includes(server) && !server.health.isResting) {
        this.#next = (index + 1) % count
        return server
      }
    }
    return leastRecentlyFailed(candidates)
  }
}

function leastRecentlyFailed(servers: readonly Server[]): Server {
  return servers.reduce((first, server) => (server.health.failedAt < first.health.failedAt ? server : first))
}
