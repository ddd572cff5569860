import { setImmediate } from 'node:timers/promises'
import { answerTo, InstanceEvents, type Inbound } from '@sluice/core'
import { inboundCompliance } from '@sluice/testkit'
import { describe, it } from 'vitest'
import { SocksInbound, type SocksInboundSettings } from '../src/index.js'

suite({}, '\x05\x01\x00', 2)
suite({ auth: 'password', accounts: [{ user: 'me', pass: 'pw' }] }, '\x05\x02\x00\x02\x01\x02me\x02pw', 4)

function suite(settings: SocksInboundSettings, hello: string, answerAt: number): void {
  inboundCompliance({
    name: `socks ${settings.auth ?? ''}`, describe, it, user: settings.auth && { name: 'me', level: 0 },
    setup: async ({ policies }) => ({
      inbound: unhurried(new SocksInbound(settings, 'in', policies, new InstanceEvents())),
      request: ({ host, port }) => Buffer.concat(
        [hello, '\x05\x01\0\x03', [host.length], host, [port >> 8, port & 255]].map((part) => Buffer.from(part as string))),
      parseAnswer: (received) => received.length < answerAt + 10 ? undefined
        : { success: received[answerAt + 1] === 0, code: received[answerAt + 1] ?? -1, rest: received.subarray(answerAt + 10) },
      answerCode: (error) => answerTo(error).socks,
      malformed: ['\x05\x00', '\x05\x01\x01', '\x04\x01\x00', 'GET / HTTP/1.1\r\n', Buffer.alloc(70_000, 5), `${hello}\x05\x01\x00\x09`],
    }),
  })
}

/** Dispatches after the client has read its method: a reset that comes with unread bytes is a plain end to a client on libuv. */
function unhurried(inbound: Inbound): Inbound {
  const wait = async (turns: number): Promise<void> => { for (let turn = 0; turn < turns; turn++) await setImmediate() }
  return { handle: (connection, dispatch) => inbound.handle(connection, (request, link) => wait(3).then(() => dispatch(request, link))) }
}
