import { randomUUID } from 'node:crypto'
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { Option, type Command } from 'commander'
import { CONFIG_FORMATS, formatConfig, readConfigFile, type ConfigFormat } from '@sluice/config'
import { isConfigError } from '@sluice/core'
import { FileConfigError } from './faults.js'

interface FmtOptions {
  readonly write?: boolean
  readonly format?: ConfigFormat
}

/** `sluice fmt`. */
export function registerFmt(program: Command): void {
  program.command('fmt')
    .description('lay a config out, two blanks for each level, and keep its comments; JSON and YAML')
    .argument('<file>', '"-" reads standard input')
    .option('-w, --write', 'into the file itself, in place of standard output')
    .addOption(new Option('--format <format>', 'of the config, whatever its name ends with').choices(CONFIG_FORMATS))
    .action((file: string, options: FmtOptions) => formatFile(file, options))
}

/** Lays a config out. @throws {ConfigError} for a text that cannot be read, which stays as it is. */
async function formatFile(path: string, { write = false, format }: FmtOptions): Promise<void> {
  const file = path === '-' ? 'stdin' : path
  const content = path === '-' ? await text(process.stdin) : await readConfigFile(path)
  const formatted = withTexts(file, content, () => formatConfig(content, { file, ...(format === undefined ? {} : { format }) }))
  if (!write || path === '-') process.stdout.write(formatted)
  else if (formatted !== content) await replaceFile(path, formatted)
}

function withTexts(file: string, content: string, format: () => string): string {
  try {
    return format()
  } catch (error) {
    throw isConfigError(error) ? new FileConfigError(error.faults, new Map([[file, content]])) : error
  }
}

/** At once, so that nobody ever reads half of it; through links, and with the rights that the file had. */
async function replaceFile(path: string, content: string): Promise<void> {
  const target = await realpath(path)
  const draft = `${target}.${randomUUID()}`
  try {
    await writeFile(draft, content, { mode: (await stat(target)).mode })
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
