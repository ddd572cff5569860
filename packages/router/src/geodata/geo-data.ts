import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suggestion } from '@sluice/core'
import { BadPattern } from '../condition/bad-pattern.js'
import { indexLists, readDomains, readNetworks, type GeoDomain, type GeoNetworks } from './geo-entries.js'

const VARIABLES = ['V2RAY_LOCATION_ASSET', 'v2ray.location.asset', 'XRAY_LOCATION_ASSET', 'xray.location.asset'] as const
const MAX_FILE_BYTES = 512 * 1024 * 1024

/** Lists of names and networks from data files. */
export interface GeoData {
  /** @throws {BadPattern} where the file or the list cannot be had. */
  domains(file: string, list: string): readonly GeoDomain[]
  /** @throws {BadPattern} where the file or the list cannot be had. */
  networks(file: string, list: string): GeoNetworks
}

/** Takes every list for an empty one: for a check of how values are written. */
export const NO_GEO_DATA: GeoData = { domains: () => [], networks: () => ({ networks: [], isInverse: false }) }

/** The folder of data files: what v2ray's or Xray's environment variable names, else the working directory. */
export function assetFolder(environment: Readonly<Record<string, string | undefined>>, workingFolder: string): string {
  const name = VARIABLES.find((variable) => (environment[variable] ?? '') !== '')
  return (name === undefined ? undefined : environment[name]) ?? workingFolder
}

/** Reads data files of v2ray's format (`geoip.dat`, `geosite.dat`). Of a file only the lists asked for are decoded. */
export class GeoFiles implements GeoData {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  domains(file: string, list: string): readonly GeoDomain[] {
    return this.#read(file, list, readDomains)
  }

  networks(file: string, list: string): GeoNetworks {
    return this.#read(file, list, readNetworks)
  }

  #read<T>(file: string, name: string, decode: (list: Buffer) => T): T {
    const path = join(this.#folder, file)
    try {
      const lists = listsOf(path)
      const list = lists.get(name.toLowerCase())
      if (list !== undefined) return decode(list)
      throw new BadPattern(`is not in the data file "${path}"`, suggestion(name, lists.keys()).hint)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new BadPattern(`needs the data file "${path}", which is damaged: ${error.message}`)
    }
  }
}

/** The data files of this process's surroundings. */
export function geoFiles(): GeoFiles {
  return new GeoFiles(assetFolder(process.env, process.cwd()))
}

type Lists = ReadonlyMap<string, Buffer>

/**
 * What was read of a file in its present state, so that a start with many lists reads it once. Weakly: it is many times what is
 * taken from it.
 */
const LAST_READ = new Map<string, { readonly version: string, readonly lists: WeakRef<Lists> }>()

function listsOf(path: string): Lists {
  const hint = `put the file there, or name its folder by the environment variable ${VARIABLES[0]}`
  try {
    const { size, mtimeMs } = statSync(path)
    if (size > MAX_FILE_BYTES) throw new BadPattern(`needs the data file "${path}", which is larger than 512 MiB`)
    const version = `${size} ${mtimeMs}`
    const last = LAST_READ.get(path)
    const known = last?.version === version ? last.lists.deref() : undefined
    if (known !== undefined) return known
    const lists = indexLists(readFileSync(path))
    LAST_READ.set(path, { version, lists: new WeakRef(lists) })
    return lists
  } catch (error) {
    if (error instanceof RangeError || error instanceof BadPattern) throw error
    const { code = 'no reason given' } = error as NodeJS.ErrnoException
    throw new BadPattern(`needs the data file "${path}", which cannot be read (${code})`, hint)
  }
}
