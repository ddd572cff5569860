import { once } from 'node:events'
import { createServer } from 'node:net'

/** A TCP target that hands every connection to `serve`. */
async function rawTarget(serve) {
  const sockets = new Set()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // How the connection ends is for the cell to judge, at the client's side.
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

export const BANNER = 'SSH-2.0-interop\r\n'

/** Speaks first, then sends back what it gets. */
export function bannerTarget() {
  return rawTarget((socket) => {
    socket.write(BANNER)
    socket.pipe(socket)
  })
}

const LATE_MS = 300
const REQUEST_BYTES = 5

/** Says how much it got, and that only some time after the client's FIN. */
export function lateTarget() {
  return rawTarget((socket) => {
    let bytes = 0
    socket.on('data', (chunk) => { bytes += chunk.length })
    socket.on('end', () => setTimeout(() => socket.end(`got ${bytes}\n`), LATE_MS))
  })
}

/** Says how much it got as late, but does not wait for a FIN: a request of 5 bytes is complete for it. */
export function closingTarget() {
  return rawTarget((socket) => {
    let bytes = 0
    socket.on('data', (chunk) => {
      bytes += chunk.length
      if (bytes === REQUEST_BYTES) setTimeout(() => socket.end(`got ${bytes}\n`), LATE_MS)
    })
  })
}
