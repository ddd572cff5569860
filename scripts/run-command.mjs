/** Runs a command to its end, and says all that it printed when it fails. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** @returns What it printed. `limitMs` is how long it may take. */
export async function run(command, args, { cwd, env, limitMs = 120_000 } = {}) {
  try {
    const { stdout } = await execute(command, args, { cwd, timeout: limitMs, maxBuffer: 1 << 26, env: { ...process.env, NO_COLOR: '1', ...env } })
    return stdout
  } catch (error) {
    const why = error.killed ? `took more than ${limitMs / 1000} s` : `ended with ${error.code}`
    throw new Error(`${[command, ...args].join(' ')} ${why}\n${error.stdout ?? ''}${error.stderr ?? ''}`.trimEnd(), { cause: error })
  }
}
