import { readFile } from 'node:fs/promises'
import { ConfigError, fault } from '@sluice/core'
import type { ConfigDocument } from './config-document.js'
import { parseConfig } from './parse-config.js'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/**
 * Reads a config file's text.
 * @throws {ConfigError} that names the file, if it cannot be read or is not UTF-8.
 */
export async function readConfigFile(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    throw new ConfigError([{ ...fault([], `cannot be read: ${reasonOf(error)}`), file }])
  }
}

/**
 * Reads a config file; the end of its name says whether it is YAML, TOML or JSON.
 * @throws {ConfigError} if it cannot be read, or with all faults of its syntax at once.
 */
export async function loadConfigFile(file: string): Promise<ConfigDocument> {
  return parseConfig(await readConfigFile(file), { file })
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text'
  return REASONS[code] ?? message
}
