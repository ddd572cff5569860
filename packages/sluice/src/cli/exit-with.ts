/** Ends the command with that exit code; why has been told already. */
export class ExitWith extends Error {
  override readonly name = 'ExitWith'
  readonly code: number

  constructor(code: number) {
    super(`Exit with ${code}`)
    this.code = code
  }
}
