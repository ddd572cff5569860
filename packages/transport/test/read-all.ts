import type { Readable } from 'node:stream'

/** Everything up to the end of a stream, as text; also when it ended before. Rejects if it is cut. */
export function readAll(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const done = (): void => resolve(Buffer.concat(chunks).toString())
    if (stream.readableEnded) return done()
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).once('end', done)
    stream.once('close', () => reject(stream.errored ?? new Error('The stream was closed before its end')))
    stream.resume()
  })
}
