// Upstream proxies, one per outbound, that note which of them was asked for what.

import { once } from 'node:events'
import { createServer } from 'node:net'

/** One side's upstream proxies. */
export class Recorder {
  /** Port by tag. */
  ports = {}
  #servers = []
  #sockets = new Set()
  #waiting = () => {}

  async open(tags) {
    for (const tag of tags) {
      const server = createServer((socket) => this.#serve(tag, socket)).listen(0, '127.0.0.1')
      await once(server, 'listening')
      this.#servers.push(server)
      this.ports[tag] = server.address().port
    }
    return this
  }

  /** What the next request is, as `tag host:port`. */
  next(limitMs) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('nothing'), limitMs)
      this.#waiting = (seen) => {
        clearTimeout(timer)
        this.#waiting = () => {}
        resolve(seen)
      }
    })
  }

  close() {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) server.close()
  }

  #serve(tag, socket) {
    this.#sockets.add(socket)
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    let head = ''
    socket.on('data', (chunk) => {
      if (head.includes('\r\n\r\n')) return
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      const [method, target] = head.split(' ', 2)
      socket.write(method === 'CONNECT' ? 'HTTP/1.1 200 OK\r\n\r\n' : 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
      this.#waiting(`${tag} ${method === 'CONNECT' ? target : authorityOf(target)}`)
    })
  }
}

function authorityOf(url) {
  const { hostname, port } = new URL(url)
  return `${hostname}:${port === '' ? 80 : port}`
}
