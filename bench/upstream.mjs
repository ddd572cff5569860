/**
 * The proxy that Sluice is measured with, and the targets behind it, in one process: CONNECT over HTTP/1.1, TLS and HTTP/2.
 *
 * `node upstream.mjs CERT_FILE KEY_FILE` prints its ports as JSON. The host of a CONNECT request says what the target does:
 * `source` sends without end, `sink` throws all away, any other sends back what it gets.
 */
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

const MIB = 1 << 20
const BLOCK = Buffer.alloc(MIB / 4, 'sluice')
const [certFile, keyFile] = process.argv.slice(2)
const certificate = { cert: readFileSync(certFile), key: readFileSync(keyFile) }

function serve(stream, authority) {
  const [host] = authority.split('.')
  if (host === 'source') {
    const fill = () => { while (!stream.destroyed && stream.write(BLOCK)); }
    stream.on('drain', fill).resume()
    fill()
  } else if (host === 'sink') {
    stream.resume()
  } else {
    stream.on('data', (chunk) => { if (!stream.write(chunk)) stream.pause() }).on('drain', () => stream.resume())
  }
}

function http1(socket) {
  socket.on('error', () => {}).on('end', () => socket.end())
  socket.setNoDelay(true)
  let head = Buffer.alloc(0)
  socket.on('data', function onHead(chunk) {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    socket.off('data', onHead)
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    if (head.length > end + 4) socket.unshift(head.subarray(end + 4))
    serve(socket, head.toString('latin1', 'CONNECT '.length, end))
  })
}

function http2(stream, headers) {
  stream.on('error', () => {}).on('end', () => stream.end())
  stream.respond({ ':status': 200 })
  serve(stream, headers[':authority'])
}

const plain = createServer({ allowHalfOpen: true, backlog: 4_096 }, http1)
const tls = createTlsServer({ ...certificate, ALPNProtocols: ['http/1.1'], allowHalfOpen: true }, http1)
const h2 = createSecureServer({ ...certificate, settings: { initialWindowSize: MIB, maxConcurrentStreams: 250 } })
h2.on('session', (session) => session.setLocalWindowSize(16 * MIB)).on('stream', http2)
for (const server of [plain, tls, h2]) {
  server.on('tlsClientError', () => {}).on('sessionError', () => {})
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve))
}
console.log(JSON.stringify({ h1: plain.address().port, tlsh1: tls.address().port, tlsh2: h2.address().port }))
