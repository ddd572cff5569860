import { answerTo, formatEndpoint, InstanceEvents } from '@sluice/core'
import { inboundCompliance, type ClientAnswer } from '@sluice/testkit'
import { describe, it } from 'vitest'
import { HttpInbound, type HttpInboundSettings } from '../src/index.js'

suite('http', {}, '')
suite('http with accounts', { accounts: [{ user: 'me', pass: 'pw' }] }, 'Proxy-Authorization: Basic bWU6cHc=\r\n', { name: 'me', level: 0 })

function suite(name: string, settings: HttpInboundSettings, fields: string, user?: { name: string, level: number }): void {
  inboundCompliance({
    name, describe, it, user, secrets: ['pw', 'bWU6cHc='],
    setup: async ({ policies }) => ({
      inbound: new HttpInbound(settings, 'in', policies, new InstanceEvents()),
      request: (target) => `CONNECT ${formatEndpoint(target)} HTTP/1.1\r\nHost: ${formatEndpoint(target)}\r\n${fields}\r\n`,
      parseAnswer,
      answerCode: (error) => answerTo(error).http,
      malformed: ['\r\n\r\n', 'nonsense\r\n', '\x16\x03\x01\x02\x00', '\x05\x01\x00', 'GET / HTTP/1.1\r\n\r\n', Buffer.alloc(70_000, 'x')],
    }),
  })
}

function parseAnswer(received: Buffer): ClientAnswer | undefined {
  const end = received.indexOf('\r\n\r\n') + 4
  const code = Number(received.toString('latin1', 9, 12))
  return end < 4 ? undefined : { success: code === 200, code, rest: received.subarray(end) }
}
