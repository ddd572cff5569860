import { once } from 'node:events'
import { listening, signal } from '../processes.mjs'

/** A proxy that cells may stop, replace, kill, hold and start again on the same port. */
export class Front {
  #run
  #port
  #gracefulSignal
  #programs = []

  /**
   * @param run - Starts the program; given the id of one that still runs, so that it takes over from it.
   * @param gracefulSignal - Makes it take no more connections, and end after the last tunnel.
   */
  constructor(run, port, gracefulSignal) {
    this.#run = run
    this.#port = port
    this.#gracefulSignal = gracefulSignal
  }

  /** What it wrote in all its lives. */
  get output() {
    return this.#programs.map(({ output }) => output).join('')
  }

  get #program() {
    return this.#programs.at(-1)
  }

  /** Resolves when it listens. */
  async start() {
    this.#programs.push(this.#run())
    await listening(this.#program, [this.#port])
  }

  /** Starts one that takes over the port at once. `ended`: when the one before has. `output()`: what the new one wrote. */
  replace() {
    const { child } = this.#program
    const exit = once(child, 'exit')
    const program = this.#run(child.pid)
    this.#programs.push(program)
    return { ended: exit, output: () => program.output }
  }

  /** `ended`: when it has. To the leader alone, who tells the others. */
  stopGracefully() {
    const { child } = this.#program
    const exit = once(child, 'exit')
    child.kill(this.#gracefulSignal)
    return { ended: exit }
  }

  kill() {
    signal(this.#program, 'SIGKILL')
  }

  /** It falls silent, with all its connections open. */
  hold() {
    signal(this.#program, 'SIGSTOP')
  }

  goOn() {
    signal(this.#program, 'SIGCONT')
  }
}
