import type { StreamSettings } from '@sluice/core'

const DEFAULT_IDLE_SECONDS = 60

/** After how many milliseconds of silence the kernel probes the peer of a socket; 0 = never. @returns 60_000 by default */
export function keepAliveIdleMs({ sockopt }: StreamSettings): number {
  const seconds = sockopt?.tcpKeepAliveIdle ?? 0
  return seconds < 0 ? 0 : (seconds === 0 ? DEFAULT_IDLE_SECONDS : seconds) * 1_000
}
