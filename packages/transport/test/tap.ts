import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tcp, type Destination } from '@sluice/core'

export interface Tap extends AsyncDisposable {
  readonly destination: Destination
  /** What the client sent, as it went over the wire. */
  readonly uplink: Buffer
  /** Whether the client sent a FIN. */
  readonly ended: boolean
}

/** Stands between a client and a server on loopback, keeps what the client sends, and may change what the server sends. */
export async function tap(to: Destination, change: (bytes: Buffer) => Buffer = (bytes) => bytes): Promise<Tap> {
  const uplink: Buffer[] = []
  const open = new Set<Socket>()
  let ended = false
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: to.host, port: to.port, allowHalfOpen: true })
    for (const socket of [client, upstream]) open.add(socket.on('error', () => {}))
    client.on('data', (bytes: Buffer) => {
      uplink.push(bytes)
      upstream.write(bytes)
    })
    client.on('end', () => {
      ended = true
      upstream.end()
    })
    upstream.on('data', (bytes: Buffer) => client.write(change(bytes)))
    upstream.on('end', () => client.end())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    destination: tcp('127.0.0.1', (server.address() as AddressInfo).port),
    get uplink() { return Buffer.concat(uplink) },
    get ended() { return ended },
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
}
