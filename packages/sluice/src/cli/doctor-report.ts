import { isProxyError, printable } from '@sluice/core'
import { hintFor } from './doctor-hints.js'
import { STEP_MS } from './doctor-steps.js'

/** One step of the way, as `--json` writes it. */
export interface DoctorStep {
  readonly step: string
  /** The proxy or the target. */
  readonly of: string
  readonly ok: boolean
  readonly ms: number
  readonly detail: string
  readonly code?: string
  readonly hint?: string
}

/** What a step returns: what to tell, alone or with what later steps need. */
type Outcome<T> = string | readonly [value: T, detail: string]

/** Runs steps, times them, and tells of each as it ends. */
export class DoctorReport {
  readonly #json: boolean
  readonly #port: number
  readonly #steps: DoctorStep[] = []

  /** @param port That of the target, which hints depend on. */
  constructor(json: boolean, port: number) {
    this.#json = json
    this.#port = port
  }

  get hasFailed(): boolean {
    return this.#steps.some(({ ok }) => !ok)
  }

  /**
   * Runs one step, for 10 s at most, unless an earlier one has failed.
   * @param schemesOf Authentication schemes on offer, for the hint.
   * @returns what later steps need; `undefined` if it failed or was left out.
   */
  async step<T>(
    step: string, of: string, run: (signal: AbortSignal) => Promise<Outcome<T>>, schemesOf?: (error: unknown) => Promise<readonly string[]>,
  ): Promise<T | undefined> {
    if (this.hasFailed) return undefined
    const startedAt = performance.now()
    const elapsed = (): number => Math.round((performance.now() - startedAt) * 10) / 10
    try {
      const outcome = await run(AbortSignal.timeout(STEP_MS))
      const ms = elapsed()
      const [value, detail] = typeof outcome === 'string' ? [undefined, outcome] : outcome
      this.#add({ step, of, ok: true, ms, detail })
      return value
    } catch (error) {
      const ms = elapsed()
      const hint = hintFor(error, { port: this.#port, schemes: await schemesOf?.(error) ?? [] })
      this.#add({ step, of, ok: false, ms, detail: messageOf(error), code: codeOf(error), ...(hint === undefined ? {} : { hint }) })
      return undefined
    }
  }

  /** Writes what is left to write. */
  end(url: string): void {
    if (this.#json) process.stdout.write(`${JSON.stringify({ ok: !this.hasFailed, url, steps: this.#steps })}\n`)
  }

  #add(step: DoctorStep): void {
    this.#steps.push(step)
    if (this.#json) return
    const { ok, ms, of, detail, code, hint } = step
    const name = `${step.step} of ${of}`
    const took = `${ms.toFixed(1)} ms`
    const told = code === undefined ? detail : `${code}: ${detail}`
    process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(22)} ${took.padStart(12)}  ${told}\n`)
    if (hint !== undefined) process.stdout.write(`     hint: ${hint}\n`)
  }
}

function messageOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error))
}

function codeOf(error: unknown): string {
  if (isProxyError(error)) return error.code
  const { code, name } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError') return 'TIMEOUT'
  return code ?? 'FAILED'
}
