/** A SOCKS5 client as small as one can be. */
import { connect } from 'node:net'

const GREETING = Buffer.from([5, 1, 0])
const METHOD_BYTES = 2
const REPLY_BYTES = 10
const LIMIT_MS = 15_000

/**
 * Opens a tunnel.
 * @param onRead Takes bytes of the tunnel, in memory that is used again; only how many there are is certain.
 */
export function openTunnel(port, host, onRead = () => {}) {
  return new Promise((resolve, reject) => {
    let seen = 0
    const callback = (bytes, buffer) => {
      if (seen >= METHOD_BYTES + REPLY_BYTES) return onRead(bytes, buffer)
      seen += bytes
      if (seen === METHOD_BYTES) socket.write(request(host))
      if (seen < METHOD_BYTES + REPLY_BYTES) return true
      if (buffer[METHOD_BYTES + REPLY_BYTES === bytes ? METHOD_BYTES + 1 : 1] !== 0) return fail(new Error('refused'))
      socket.off('error', fail).off('close', ended).on('error', () => {})
      clearTimeout(timer)
      resolve(socket)
      if (seen > METHOD_BYTES + REPLY_BYTES) onRead(seen - METHOD_BYTES - REPLY_BYTES, buffer)
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: () => SHARED, callback } })
    const fail = (error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const ended = () => fail(new Error('closed'))
    const timer = setTimeout(fail, LIMIT_MS, new Error('timed out'))
    socket.on('error', fail).on('close', ended)
    socket.write(GREETING)
  })
}

// All reads are over before the next begins, whichever socket they are for.
const SHARED = Buffer.allocUnsafeSlow(256 << 10)

function request(host) {
  const name = Buffer.from(host)
  return Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, Buffer.from([0, 80])])
}
