import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  CONFIG_NAME, expandPorts, mergeConfigs, normalizeConfig, parseConfig, readConfigFile,
  type ConfigDocument, type ConfigFormat, type KnownProtocols,
} from '@sluice/config'
import { ConfigError, fault, isConfigError, type Fault, type Module } from '@sluice/core'
import { modules } from '../modules.js'

/** Which configs to read; the files of the folder come after the others, by name. */
export interface ConfigSources {
  /** Paths, or `-` for standard input. */
  readonly config?: readonly string[]
  readonly confdir?: string
  /** @default by the end of each file's name */
  readonly format?: ConfigFormat
  /** Leave out handlers of unknown protocols. @default false */
  readonly skipUnknown?: boolean
}

/** The files' config as one. Texts are put into `texts` as they are read. @throws {ConfigError} with the faults of all files. */
export async function readConfigs(sources: ConfigSources, texts: Map<string, string>): Promise<ConfigDocument> {
  const { format = 'auto' } = sources
  const documents: ConfigDocument[] = []
  const faults: Fault[] = []
  for (const path of await pathsOf(sources)) {
    try {
      const file = path === '-' ? 'stdin' : path
      const content = path === '-' ? await text(process.stdin) : await readConfigFile(path)
      texts.set(file, content)
      documents.push(normalized(parseConfig(content, { file, format }), sources))
    } catch (error) {
      if (!isConfigError(error)) throw error
      faults.push(...error.faults)
    }
  }
  const [first, ...others] = documents
  if (faults.length > 0 || first === undefined) throw new ConfigError(faults)
  return expandPorts(mergeConfigs([first, ...others]))
}

async function pathsOf({ config = [], confdir }: ConfigSources): Promise<string[]> {
  if (confdir === undefined) return [...config]
  const names = await readdir(confdir).catch((error: unknown) => {
    throw new ConfigError([{ ...fault([], `cannot be read: ${(error as Error).message}`), file: confdir }])
  })
  const files = names.filter((name) => CONFIG_NAME.test(name)).sort().map((name) => join(confdir, name))
  if (files.length + config.length > 0) return [...config, ...files]
  throw new ConfigError([{ ...fault([], 'holds no config: no name in it ends with .json, .jsonc, .yaml, .yml or .toml'), file: confdir }])
}

function normalized(document: ConfigDocument, { skipUnknown = false }: ConfigSources): ConfigDocument {
  const sections = modules.flatMap((module) => module.kind === 'feature' ? [module.section] : [])
  return normalizeConfig(document, { sections, known: knownProtocols(modules), skipUnknown })
}

function knownProtocols(list: readonly Module[]): KnownProtocols {
  const of = (kind: 'inbound' | 'outbound'): Set<string> => new Set(list.flatMap((module) => module.kind === kind ? [module.protocol] : []))
  return { inbounds: of('inbound'), outbounds: of('outbound') }
}
