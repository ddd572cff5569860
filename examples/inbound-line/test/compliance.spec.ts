import { answerTo, formatEndpoint, InstanceEvents } from '@sluice/core'
import { inboundCompliance, type ClientAnswer } from '@sluice/testkit'
import { describe, it } from 'vitest'
import { LineInbound, type LineInboundSettings } from '../src/index.js'

suite('line', {}, '')
suite('line with accounts', { accounts: [{ user: 'me', pass: 'secret' }] }, ' me secret', { name: 'me', level: 0 })

function suite(name: string, settings: LineInboundSettings, login: string, user?: { name: string, level: number }): void {
  inboundCompliance({
    name, describe, it, user, secrets: ['secret'],
    async setup({ policies }) {
      return {
        inbound: new LineInbound(settings, policies, new InstanceEvents(), 'in'),
        request: (target) => `${formatEndpoint(target)}${login}\n`,
        parseAnswer,
        answerCode: (error) => answerTo(error).http,
        malformed: ['\n', 'no-port\n', 'a.test:0\n', 'GET / HTTP/1.1\r\n', '\x05\x01\x00\n', Buffer.alloc(70_000, 'x')],
      }
    },
  })
}

function parseAnswer(received: Buffer): ClientAnswer | undefined {
  const end = received.indexOf('\n') + 1
  const code = Number(received.toString('latin1', 0, 3))
  return end === 0 ? undefined : { success: code === 200, code, rest: received.subarray(end) }
}
