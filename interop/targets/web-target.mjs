import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

const MEET_LIMIT_MS = 6_000

/**
 * An HTTP target, over TLS when given a certificate. `GET /` greets, `POST /echo` sends the body back, and
 * `GET /meet/ID/COUNT` answers nobody before COUNT requests for ID have come: that many are open at once.
 */
export async function webTarget(certificate) {
  const meetings = new Map()
  const server = certificate === undefined ? createServer(answer) : createTlsServer(certificate, answer)

  function answer(request, response) {
    response.on('error', () => {})
    const [, action, id, count] = request.url.split('?')[0].split('/')
    if (action === 'echo') {
      request.pipe(response)
      return
    }
    request.resume()
    if (action === 'meet') meet(id, Number(count), response)
    else response.end('hello from the target\n')
  }

  function meet(id, count, response) {
    const waiting = meetings.get(id) ?? { responses: [], timer: setTimeout(() => finish(503), MEET_LIMIT_MS) }
    meetings.set(id, waiting)
    waiting.responses.push(response)
    const finish = (status) => {
      clearTimeout(waiting.timer)
      meetings.delete(id)
      for (const each of waiting.responses) each.writeHead(status).end(`${waiting.responses.length} met\n`)
    }
    if (waiting.responses.length === count) finish(200)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
