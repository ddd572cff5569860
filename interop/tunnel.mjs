/** A client for what curl cannot do: stay silent, or end its side and go on listening. */
import { once } from 'node:events'
import { connect } from 'node:net'

const LIMIT_MS = 8_000

/** Opens a tunnel to a port of the loopback through `inbound`. Resolves after the inbound said yes. */
export async function openTunnel(inbound, port, { silenceMs = LIMIT_MS } = {}) {
  const socket = connect({ port: inbound.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.setTimeout(silenceMs, () => socket.destroy(new Error('the tunnel was silent for too long')))
  try {
    await once(socket, 'connect')
    await ask(socket, inbound, port)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function ask(socket, inbound, port) {
  if (inbound.scheme === 'http') {
    const target = `127.0.0.1:${port}`
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    const head = await readHead(socket, (bytes) => {
      const end = bytes.indexOf('\r\n\r\n')
      return end < 0 ? undefined : end + 4
    })
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`The inbound answered ${JSON.stringify(head.split('\r\n')[0])}`)
  } else {
    socket.write(Buffer.of(5, 1, 0))
    await readHead(socket, () => 2)
    socket.write(Buffer.of(5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255))
    const reply = await readHead(socket, () => 10)
    if (reply.charCodeAt(1) !== 0) throw new Error(`The inbound answered REP ${reply.charCodeAt(1)}`)
  }
}

/** Reads the first bytes, as many as `lengthOf` says of what has come so far (undefined: not known yet), and puts back the rest. */
export async function readHead(socket, lengthOf) {
  let bytes = Buffer.alloc(0)
  for (;;) {
    const length = lengthOf(bytes)
    if (length !== undefined && bytes.length >= length) {
      if (bytes.length > length) socket.unshift(bytes.subarray(length))
      return bytes.toString('latin1', 0, length)
    }
    await once(socket, 'readable')
    const chunk = socket.read()
    if (chunk === null) throw new Error(`The inbound closed after ${JSON.stringify(bytes.toString('latin1'))}`)
    bytes = Buffer.concat([bytes, chunk])
  }
}

/** Reads to the end: the text, and whether the end was a FIN or what error. */
export async function readAll(socket) {
  let text = ''
  socket.on('data', (chunk) => { text += chunk })
  // Reading by 'readable' before has stopped the flow.
  socket.resume()
  try {
    await once(socket, 'end')
    return { text, end: 'FIN' }
  } catch (error) {
    return { text, end: error.code ?? error.message }
  } finally {
    socket.destroy()
  }
}
