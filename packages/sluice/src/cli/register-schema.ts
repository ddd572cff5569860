import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'

/** Made by scripts/config-page.mjs, and shipped with the package. */
const SCHEMA = new URL('../../schema/config.schema.json', import.meta.url)

/** `sluice schema`. */
export function registerSchema(program: Command): void {
  program.command('schema')
    .description('write the JSON Schema of a config to standard output, for editors')
    .action(async () => { process.stdout.write(await readFile(SCHEMA, 'utf8')) })
}
