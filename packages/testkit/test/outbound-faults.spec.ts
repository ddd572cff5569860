import { describe, expect, it } from 'vitest'
import { collectTests, OUTBOUND_FAULTS, outboundCompliance, type OutboundFault } from '../src/index.js'
import { brokenOutboundSuite } from './broken-outbound-suite.js'

const NOTICED: [OutboundFault, check: string, message: RegExp][] = [
  ['opens early', 'only when the upstream is connected', /link.open\(\) was called while the dial went on/],
  ['opens early', 'only when the upstream has answered', /link.open\(\) was called before the answer/],
  ['opens early', 'when the dial fails', /link.reader to be ended/],
  ['loses early bytes', 'glued to the answer', /Cannot expect "glued to the answer"/],
  ['forgets half-close', 'still delivers the late reply', /Cannot expect "late 8 /],
  ['forgets half-close', 'the target on while the client goes on', /in vain for the end of the client at the target/],
  ['ends cleanly', 'when aborted in the relay', /Cannot expect a reset: the peer ended/],
  ['ends cleanly', 'resets the client when the target resets', /Cannot expect a reset: the peer ended/],
  ['ends cleanly', 'cuts the upstream when the client resets', /the target saw a clean end/],
  ['floods', 'for a client that does not read', /link.writer holds \d+ bytes that nobody reads/],
  ['floods', 'for a target that does not read', /(the client has sent|the connection to the upstream holds) \d+ bytes that/],
  ['leaks a listener', 'leaves no socket', /listeners for 'abort' left on ctx.signal/],
  ['leaves a timer', 'leaves no socket', /nothing to be left: .*Timeout/],
  ['leaves a socket', 'when aborted in the handshake', /connections to the upstream to be gone: 1 of 1/],
  ['wraps the reason', 'when aborted in the dial', /reference-equal/],
  ['wraps the reason', 'when aborted in the handshake', /reference-equal/],
  ['wraps the reason', 'aborted before it starts', /reference-equal/],
  ['repeats refusals', 'asks only once', /record.attempts/],
  ['reads before it opens', 'when the dial fails', /bytes to be in link.reader: 0/],
  ['waits for the client', 'says first while the client is silent', /Cannot expect "SSH-2.0-test⏎"/],
  ['forgets its limit', 'does not answer in handshakeMs', /in vain for process\(\) to settle/],
  ['never idles', 'outcome idle', /in vain for process\(\) to settle/],
  ['mixes sessions up', 'mixes none up', /SHA-256 of what came back/],
  ['never opens', 'reaches the target', /resolved without link.open\(\)/],
  ['loses late bytes', 'still delivers the late reply', /Cannot expect "late 8 /],
  ['counts wrong', 'reaches the target', /uplinkBytes/],
  ['stays open', 'cuts the upstream', /in vain for the target to lose its client/],
  ['tells its password', 'tells no secret', /what process\(\) rejected with holds the secret number 1/],
  ['leaks with time', 'after many sessions', /nothing to be left: .*Timeout/],
  ['throws in close', 'close() may be called', /sessions are running/],
]

/** Many sessions at once take longer on a busy machine than one. */
const limitOf = (fault: string): number => (fault === 'leaks with time' ? 2_000 : 600)

describe('outboundCompliance()', () => {
  it.each(NOTICED)('notices an outbound that %s: %s', async (fault, check, message) => {
    const tests = collectTests((runner) => { outboundCompliance({ ...brokenOutboundSuite(fault), ...runner, limitMs: limitOf(fault), sessions: 5 }) })
    const [test, ...others] = tests.filter(({ title }) => title.includes(check))
    expect(others).toEqual([])
    await expect(test?.run()).rejects.toThrow(message)
  })

  it('is tried on every fault that there is', () => {
    expect(new Set(NOTICED.map(([fault]) => fault))).toEqual(new Set(OUTBOUND_FAULTS))
  })

  it('leaves out what a setup cannot arrange', () => {
    const all = collectTests((runner) => { outboundCompliance({ ...brokenOutboundSuite(), ...runner }) })
    const few = collectTests((runner) => {
      outboundCompliance({ ...brokenOutboundSuite(), ...runner, scenarios: [], halfClose: false, passesReset: false, tunnel: false })
    })
    expect(few.length).toBeGreaterThan(0)
    expect(few.length).toBeLessThan(all.length)
    expect(few.map(({ title }) => title).filter((title) => /glued|handshake|refuses|late reply|connect\(\)/.test(title))).toEqual([])
  })
})
