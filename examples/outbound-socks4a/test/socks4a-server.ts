import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { connectTo, reset, type OutboundScenario } from '@sluice/testkit'

const GRANTED = Buffer.from([0, 90, 0, 0, 0, 0, 0, 0])
const REJECTED = Buffer.from([0, 91, 0, 0, 0, 0, 0, 0])

export interface Socks4aServer extends AsyncDisposable {
  readonly port: number
  /** The names that were asked for. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** A SOCKS4a server that connects to the port that is asked for, on loopback, or does what the scenario says instead. */
export async function socks4aServer(scenario: OutboundScenario): Promise<Socks4aServer> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => {}).once('close', () => { sockets.delete(socket) })
  }
  const serve = async (client: Socket): Promise<void> => {
    const [request] = await once(client, 'data') as [Buffer]
    client.pause()
    asked.push(request.toString('utf8', request.indexOf(0, 8) + 1, request.length - 1))
    if (scenario === 'refuse') return void client.end(REJECTED)
    if (scenario === 'stall') return void client.resume()
    const target = keep(await connectTo(request.readUInt16BE(2)))
    const early = scenario === 'glue' ? (await once(target, 'data') as [Buffer])[0] : Buffer.alloc(0)
    client.write(Buffer.concat([GRANTED, early]))
    join(client, target)
    join(target, client)
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => void serve(keep(client)).catch(() => reset(client)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return { port: (server.address() as AddressInfo).port, asked, close, [Symbol.asyncDispose]: close }
}

/** Passes on bytes, ends and resets. */
function join(from: Socket, to: Socket): void {
  from.pipe(to)
  from.once('close', () => {
    if (!from.readableEnded || from.errored !== null) reset(to)
  })
}
