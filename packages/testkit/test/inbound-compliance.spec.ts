import { answerTo, formatEndpoint } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import {
  brokenInbound, collectTests, INBOUND_FAULTS, inboundCompliance, type InboundComplianceOptions, type InboundFault, type TestRunner,
} from '../src/index.js'
import { BROKEN_INBOUND_PASSWORD } from '../src/broken/broken-inbound.js'

function suite(fault?: InboundFault): Omit<InboundComplianceOptions, keyof TestRunner> {
  return {
    name: fault ?? 'without a fault',
    secrets: [BROKEN_INBOUND_PASSWORD],
    user: { name: 'alice', level: 0 },
    async setup({ policies }) {
      return {
        inbound: brokenInbound({ policies, fault }),
        request: (target) => `CONNECT ${formatEndpoint(target)} HTTP/1.1\r\n\r\n`,
        parseAnswer(received) {
          const end = received.indexOf('\r\n\r\n')
          const code = Number(received.toString('latin1', 9, 12))
          return end < 0 ? undefined : { success: code === 200, code, rest: received.subarray(end + 4) }
        },
        answerCode: (error) => answerTo(error).http,
        malformed: ['\r\n\r\n', 'CONNECT :0 HTTP/1.1\r\n\r\n', Buffer.from([0x16, 3, 1, 13, 10, 13, 10])],
      }
    },
  }
}

inboundCompliance({ describe, it, ...suite() })

const NOTICED: [InboundFault, check: string, message: RegExp][] = [
  ['answers early', 'only when the link is opened', /an answer before link.open\(\)/],
  ['answers twice', 'answers once', /'HTTP\/1.1 200 OK/],
  ['loses pipelined bytes', 'right behind its request', /in vain for 12 bytes behind the answer: 0/],
  ['answers all alike', 'answers each failure truthfully', /the answer to TARGET/],
  ['keeps the connection', 'answers each failure truthfully', /in vain for the connection to be ended by the inbound/],
  ['rejects on a reset', 'resets within its request', /the client is gone/],
  ['forgets its limit', 'not whole within handshakeMs', /in vain for the connection to be ended by the inbound/],
  ['limits the session', 'no limit to how long', /in vain for an answer/],
  ['dispatches anything', 'first bytes are no request', /in vain for the connection to be ended by the inbound/],
  ['dispatches twice', 'exactly one session', /sessions dispatched/],
  ['aborts cleanly', 'link.abort()', /Cannot expect a reset: the peer ended/],
  ['wraps the reader', 'be seen at link.reader', /in vain for link.reader to be closed/],
  ['ends with its client', 'still delivers the late reply', /write after end|in vain for 4 bytes/],
  ['leaves a timer', 'leaves no socket', /nothing to be left: .*Timeout/],
  ['names nobody', 'by whom it was', /user/],
  ['tells a password', 'tells no client a secret', /an answer holds the secret number 1/],
  ['drains too much', 'drain() lets', /in vain for 10 bytes|EPIPE|ECONNRESET|ended/],
  ['mixes clients up', 'many clients at once', /in vain for|this is client/],
  ['leaks with time', 'many clients at once', /nothing to be left: .*Timeout/],
]

/** Many sessions at once take longer on a busy machine than one. */
const limitOf = (fault: string): number => (fault === 'leaks with time' ? 2_000 : 600)

describe('inboundCompliance()', () => {
  it('is tried on every fault that there is', () => {
    expect(new Set(NOTICED.map(([fault]) => fault))).toEqual(new Set(INBOUND_FAULTS))
  })

  it.each(NOTICED)('notices an inbound that %s: %s', async (fault, check, message) => {
    const tests = collectTests((runner) => { inboundCompliance({ ...suite(fault), ...runner, limitMs: limitOf(fault) }) })
    const [test, ...others] = tests.filter(({ title }) => title.includes(check))
    expect(others).toEqual([])
    await expect(test?.run()).rejects.toThrow(message)
  })
})
