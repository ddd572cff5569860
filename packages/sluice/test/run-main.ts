// Not by name: its types of certificates and those of the testkit cannot stand in one program.
const MAIN: string = '../src/cli/main.js'
const { main } = await import(MAIN) as { main: (args: readonly string[]) => Promise<number> }

export interface MainResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command to its end in this process, which is much sooner than in one of its own. Not for two at once. */
export async function runMain(...args: string[]): Promise<MainResult> {
  const written = { stdout: '', stderr: '' }
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name]
    const { write } = stream
    stream.write = (text: string | Uint8Array): boolean => {
      written[name] += String(text)
      return true
    }
    return () => { stream.write = write }
  })
  try {
    return { code: await main(args), out: written.stdout, err: written.stderr }
  } finally {
    for (const undo of restore) undo()
  }
}
