import { once } from 'node:events'
import { constants, type ClientHttp2Stream } from 'node:http2'
import { answerTo, DEFAULT_POLICY, formatEndpoint, InstanceEvents, type Connection, type Inbound } from '@sluice/core'
import { inboundCompliance } from '@sluice/testkit'
import { abort, deadline, decode, hangUp, relay, SocketLink } from '@sluice/transport'
import { describe, it } from 'vitest'
import { HttpInbound } from '../../src/index.js'
import { RequestHeadDecoder } from '../../src/request-head.js'
import { accept, clientOn } from './served-http2.js'

const ACCOUNTS = { accounts: [{ user: 'me', pass: 'pw' }] }

inboundCompliance({
  name: 'http over HTTP/2', describe, it, user: { name: 'me', level: 0 }, secrets: ['pw', 'bWU6cHc='],
  setup: async ({ policies, policy }) => ({
    inbound: overHttp2(new HttpInbound(ACCOUNTS, 'in', policies, new InstanceEvents()), policy.handshakeMs),
    request: (target) => `CONNECT ${formatEndpoint(target)} HTTP/1.1\r\n\r\n`,
    parseAnswer(received) {
      const code = Number(received.toString('latin1', 0, 3))
      return received.length < 3 ? undefined : { success: code === 200, code, rest: received.subarray(3) }
    },
    answerCode: (error) => answerTo(error).http,
    malformed: ['CONNECT nonsense HTTP/1.1\r\n\r\n', 'CONNECT target.test:0 HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'],
  }),
})

/** Makes one stream of an HTTP/2 client look like a connection: the suite's request goes in, and three digits come out for the answer. */
function overHttp2(inbound: Inbound, handshakeMs: number): Inbound {
  return {
    async handle(connection, dispatch) {
      const { socket, connection: served, close } = await accept()
      const handled = inbound.handle(served, dispatch)
      const client = clientOn({ socket })
      const slow = new AbortController()
      const cancel = deadline(handshakeMs, () => slow.abort(new Error('too slow')))
      try {
        const { target } = await decode(connection, new RequestHeadDecoder(), slow.signal).finally(cancel)
        const fields = { ':method': 'CONNECT', ':authority': target, 'proxy-authorization': 'Basic bWU6cHc=' }
        await carry(connection, client.request(fields, { endStream: false }))
      } catch (error) {
        if (slow.signal.aborted) connection.destroy()
        else abort(connection, error as Error)
      }
      client.close()
      await handled
      await close()
    },
  }
}

async function carry(connection: Connection, stream: ClientHttp2Stream): Promise<void> {
  const link = new SocketLink(connection, () => {})
  const left = (): void => stream.close(constants.NGHTTP2_CANCEL)
  connection.once('close', left)
  stream.on('error', () => {}).once('close', () => stream.emit('response', { ':status': 0 }))
  const [{ ':status': status }] = await once(stream, 'response') as [{ ':status': number }]
  connection.off('close', left)
  if (status === 0) throw new Error('The stream was reset')
  if (status !== 200) {
    stream.resume().end()
    return await hangUp(connection, String(status))
  }
  connection.write(String(status))
  const record = { startedAt: 0, uplinkBytes: 0, downlinkBytes: 0, attempts: 0 }
  await relay(link, stream, { ...DEFAULT_POLICY, record, signal: new AbortController().signal })
}
