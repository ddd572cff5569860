import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { isProxyError, printable, type Context } from '@sluice/core'

/** A file of JSON lines, one for each session at its end. */
export interface AuditLog extends AsyncDisposable {
  write(session: Context): void
}

/** Opens a file to append to. Lines that cannot be written are lost. @throws {Error} if it cannot be opened. */
export async function openAuditLog(path: string): Promise<AuditLog> {
  const file = createWriteStream(path, { flags: 'a', mode: 0o600 })
  try {
    await once(file, 'open')
  } catch (cause) {
    throw new Error(`Cannot open audit file "${path}": ${(cause as Error).message}`, { cause })
  }
  file.on('error', () => {})
  return {
    write: (session) => void file.write(`${JSON.stringify(auditEntry(session))}\n`),
    async [Symbol.asyncDispose]() {
      file.end()
      await finished(file).catch(() => {})
    },
  }
}

/** What a line says: who, where to, which way, how it ended. What is unknown is left out. */
export function auditEntry({ id, target, source, inboundTag, user, record }: Context): Record<string, unknown> {
  const { startedAt, outboundTag, server, outcome, error, uplinkBytes, downlinkBytes, durationMs, attempts } = record
  return {
    time: new Date(startedAt).toISOString(),
    id,
    host: target.host,
    port: target.port,
    ...(source === undefined ? {} : { source: `${source.host}:${source.port}` }),
    inbound: inboundTag,
    ...(user === undefined ? {} : { user: user.name }),
    ...(outboundTag === undefined ? {} : { outbound: outboundTag }),
    ...(server === undefined ? {} : { server }),
    outcome,
    ...(isProxyError(error) ? { code: error.code, reason: printable(error.message) } : {}),
    uplinkBytes,
    downlinkBytes,
    ms: durationMs,
    attempts,
  }
}
