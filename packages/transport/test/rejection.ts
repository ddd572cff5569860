/** What a promise is rejected with. @throws {Error} if it is not. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => { throw new Error('It did not reject') }, (error: unknown) => error)
}
