import type { SessionDescription } from '@sluice/control'

/** A server as GET /health tells of it. */
export interface ToldServer {
  readonly outbound: string
  readonly server: string
  readonly up: boolean
  readonly since: string
  readonly code?: string
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Live sessions, the oldest first. @param now Milliseconds since 1970. */
export function formatConnections(sessions: readonly SessionDescription[], now: number): string[] {
  const head = ['ID', 'STATE', 'IN', 'CLIENT', 'USER', 'TARGET', 'OUT', 'UP', 'DOWN', 'AGE']
  const rows = sessions.map(({ id, state, inbound, source = 'local', user = '', target, outbound = '', server = '', ...session }) => [
    id, state, inbound, source, user, target, `${outbound} ${server}`.trim(),
    formatBytes(session.uplinkBytes), formatBytes(session.downlinkBytes), formatSeconds((now - Date.parse(session.startedAt)) / 1_000),
  ])
  return [...formatTable(head, rows), countOf(sessions.length, 'session')]
}

/** Counters by name. */
export function formatStats(counters: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(counters).map(([name, value]) => [name, String(value)])
  if (rows.length === 0) return ['no counters: the sections "stats" and "policy" say what is counted']
  return formatTable(['COUNTER', 'BYTES'], rows)
}

/** The state of a program and of its servers. */
export function formatHealth(ok: boolean, servers: readonly ToldServer[]): string[] {
  const rows = servers.map(({ outbound, server, up, since, code = '' }) => [outbound, server, up ? 'up' : 'resting', since, code])
  const table = rows.length === 0 ? [] : formatTable(['OUTBOUND', 'SERVER', 'STATE', 'SINCE', 'CODE'], rows)
  return [ok ? 'ok' : 'not ok: all known servers of an outbound rest', ...table]
}

/** `1 session`, `2 sessions` */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Columns as wide as their widest cell. */
function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [head, ...rows.map((row) => row.map((cell) => (cell === '' ? '-' : cell)))]
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
}

function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return power === 0 ? `${bytes} B` : `${(bytes / 1_024 ** power).toFixed(1)} ${UNITS[power]}`
}

function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`
}
