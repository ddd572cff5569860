/** The programs that the lane starts. Each leads a process group of its own; all end with the lane, however it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { until } from './until.mjs'

const START_LIMIT_MS = 15_000
const STOP_LIMIT_MS = 4_000

const running = new Set()

/** The programs of one part of the lane: they end together, and no other's with them. */
export class Programs {
  #own = new Set()

  /** Starts a program; its output is kept in `output`. */
  start(name, command, args, options = {}) {
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const program = { name, child, output: '', stop: () => this.#stop(program) }
    running.add(program)
    this.#own.add(program)
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { program.output += chunk })
    child.on('error', (error) => { program.output += error.message })
    return program
  }

  async stopAll() {
    await Promise.all([...this.#own].map((program) => program.stop()))
  }

  /** Asks the whole group to end, and kills what is left at the limit. */
  async #stop(program) {
    if (!this.#own.has(program)) return
    if (!ended(program)) {
      const exit = once(program.child, 'exit')
      signal(program, 'SIGTERM')
      // One that was stopped ends only when it goes on.
      signal(program, 'SIGCONT')
      const timer = setTimeout(() => signal(program, 'SIGKILL'), STOP_LIMIT_MS)
      await exit
      clearTimeout(timer)
    }
    // Children that outlived their leader.
    signal(program, 'SIGKILL')
    this.#own.delete(program)
    running.delete(program)
  }
}

/** Resolves when something listens on every port; rejects with the program's output when it ended before. */
export async function listening(program, ports) {
  for (const port of ports) {
    await until(() => {
      if (ended(program)) throw new Error(`${program.name} ended at once:\n${program.output}`)
      return accepts(port)
    }, { limitMs: START_LIMIT_MS, otherwise: () => `${program.name} does not listen on port ${port}:\n${program.output}` })
  }
}

/** For the very end of the process, where nothing can be waited for. */
export function killAll() {
  for (const program of running) signal(program, 'SIGKILL')
}

/** To the whole group. */
export function signal({ child }, name) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name)
  } catch {
    // The group is gone.
  }
}

export function ended({ child }) {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Whether somebody listens on this port of the loopback. */
export async function accepts(port) {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
