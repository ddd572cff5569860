/** Free ports of the loopback for programs that cannot tell which port the kernel gave them. */
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the range from which the kernel gives ports to anybody who asks for any, so that none is taken between the test and the use.
const FIRST = 20_000
const COUNT = 12_000
const given = new Set()

export async function freePort() {
  for (let tries = 0; tries < 200; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (given.has(port)) continue
    const server = createServer()
    try {
      server.listen({ port, host: '127.0.0.1' })
      await once(server, 'listening')
      given.add(port)
      return port
    } catch {
      // Taken: the next one.
    } finally {
      server.close()
    }
  }
  throw new Error(`Cannot find a free port from ${FIRST} to ${FIRST + COUNT}`)
}
