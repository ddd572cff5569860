/** The client: curl, through an inbound. */
import { execFile } from 'node:child_process'
import { pathOf } from './tools.mjs'

const LIMIT_S = 8

/**
 * Runs curl with these arguments, through `inbound` (`{ scheme, port }`).
 *
 * @returns `code`: curl's exit code. `stdout`: the bodies, or what `-w` writes. `stderr`: its message, without the progress meter.
 */
export function curl(inbound, args) {
  const all = ['-q', '-sS', '--max-time', String(LIMIT_S), '--noproxy', '', '-x', `${inbound.scheme}://127.0.0.1:${inbound.port}`, ...args]
  return new Promise((resolve) => {
    execFile(pathOf('curl'), all, { encoding: 'buffer', maxBuffer: 1 << 26, env: { PATH: process.env.PATH } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr: stderr.toString().trim() })
    })
  })
}
