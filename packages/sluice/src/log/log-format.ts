import { formatEndpoint, isProxyError, printable, type Context, type LogEntry, type LogLevel } from '@sluice/core'

/**
 * The access line of an ended session. Tools that read v2ray's log find `accepted` or `rejected`, source, target, `[in -> out]` and
 * `email:` where they look for them; what the session did follows.
 */
export function formatAccess(session: Context): string {
  const { source, target, inboundTag, user, record } = session
  const from = source === undefined ? 'local' : `tcp:${formatEndpoint(source)}`
  const verb = record.establishedMs === undefined ? 'rejected' : 'accepted'
  const email = user === undefined || user.name === '' ? '' : ` email: ${printable(user.name)}`
  return [
    `${formatTime(new Date())} ${from} ${verb} ${target.network}:${printable(formatEndpoint(target))}`,
    `[${inboundTag} -> ${record.outboundTag ?? ''}]${email}`,
    `${record.outcome ?? ''}${isProxyError(record.error) ? ` ${record.error.code}` : ''}`,
    `up=${record.uplinkBytes} down=${record.downlinkBytes} ms=${record.durationMs ?? 0} attempts=${record.attempts}`,
    ...(record.server === undefined ? [] : [`server=${record.server}`]),
    ...(record.truncated === true ? ['truncated'] : []),
  ].join(' ')
}

/** Escapes of terminals, by what they are for. */
const COLOURS: Readonly<Record<LogLevel, string>> = { debug: '\u001b[2m', info: '\u001b[36m', warning: '\u001b[33m', error: '\u001b[31m' }
const PLAIN = '\u001b[0m'

/** A line of the error log: `2026/11/23 00:18:22 [Warning] [id] message`. */
export function formatEntry({ level, message, session, error }: LogEntry, { hasColours = false } = {}): string {
  const word = level.charAt(0).toUpperCase() + level.slice(1)
  const name = hasColours ? `${COLOURS[level]}${word}${PLAIN}` : word
  const id = session === undefined ? '' : ` [${session.id}]`
  const detail = error instanceof Error && !message.includes(error.message) ? `: ${error.message}` : ''
  return `${formatTime(new Date())} [${name}]${id} ${printable(message)}${printable(detail)}`
}

function formatTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
