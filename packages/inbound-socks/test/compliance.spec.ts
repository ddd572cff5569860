import { setImmediate } from 'node:timers/promises'
import { answerTo, InstanceEvents, tcp, type Destination, type Inbound } from '@sluice/core'
import { inboundCompliance, type InboundComplianceOptions, type InboundSetup } from '@sluice/testkit'
import { describe, it } from 'vitest'
import { SocksInbound, type SocksInboundSettings } from '../src/index.js'

const REJECTED = 0x5b

suite5({}, '\x05\x01\x00', 2)
suite5({ auth: 'password', accounts: [{ user: 'me', pass: 'pw' }] }, '\x05\x02\x00\x02\x01\x02me\x02pw', 4)
suite4('socks 4', [tcp('192.0.2.1', 1), tcp('1.2.3.4', 65_535)], ({ host, port }) => [
  [4, 1, port >> 8, port & 255, ...host.split('.').map(Number)], 'me\0',
])
suite4('socks 4a', [tcp('target.test', 443), tcp('2001:db8::1', 65_535)], ({ host, port }) => [
  [4, 1, port >> 8, port & 255, 0, 0, 0, 255], `me\0${host}\0`,
])

function suite5(settings: SocksInboundSettings, hello: string, answerAt: number): void {
  suite(`socks 5 ${settings.auth ?? ''}`, { user: settings.auth && { name: 'me', level: 0 } }, settings, {
    request: ({ host, port }) => join([hello, '\x05\x01\0\x03', [host.length], host, [port >> 8, port & 255]]),
    parseAnswer: (received) => received.length < answerAt + 10 ? undefined
      : { success: received[answerAt + 1] === 0, code: received[answerAt + 1] ?? -1, rest: received.subarray(answerAt + 10) },
    answerCode: (error) => answerTo(error).socks,
    malformed: ['\x05\x00', '\x05\x01\x01', '\x06\x01\x00', 'GET / HTTP/1.1\r\n', Buffer.alloc(70_000, 5), `${hello}\x05\x01\x00\x09`],
  })
}

function suite4(name: string, targets: readonly Destination[], request: (target: Destination) => (string | number[])[]): void {
  suite(name, { targets }, {}, {
    request: (target) => join(request(target)),
    parseAnswer: (received) => received.length < 8 ? undefined
      : { success: received[1] === 0x5a, code: received[1] ?? -1, rest: received.subarray(8) },
    answerCode: () => REJECTED,
    malformed: ['\x04\x02\x00\x50\x01\x02\x03\x04\x00', '\x04\x01\x00\x00\x01\x02\x03\x04\x00', Buffer.alloc(70_000, 4), '\x07'],
  })
}

function suite(
  name: string, options: Pick<InboundComplianceOptions, 'user' | 'targets'>, settings: SocksInboundSettings,
  setup: Omit<InboundSetup, 'inbound'>,
): void {
  inboundCompliance({
    name, describe, it, secrets: ['pw'], ...options,
    setup: async ({ policies }) => ({ inbound: unhurried(new SocksInbound(settings, 'in', policies, new InstanceEvents())), ...setup }),
  })
}

function join(parts: readonly (string | number[])[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)))
}

/** Dispatches after the client has read its method: a reset that comes with unread bytes is a plain end to a client on libuv. */
function unhurried(inbound: Inbound): Inbound {
  const wait = async (turns: number): Promise<void> => { for (let turn = 0; turn < turns; turn++) await setImmediate() }
  return { handle: (connection, dispatch) => inbound.handle(connection, (request, link) => wait(3).then(() => dispatch(request, link))) }
}
