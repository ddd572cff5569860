/** The mistakes that `brokenOutbound` can make, each of which `outboundCompliance` notices. */
export const OUTBOUND_FAULTS = [
  'opens early', 'never opens', 'waits for the client', 'reads before it opens', 'wraps the reason', 'repeats refusals',
  'forgets its limit', 'leaves a socket', 'tells its password', 'loses early bytes', 'loses late bytes', 'forgets half-close',
  'ends cleanly', 'floods', 'throws in close', 'counts wrong', 'never idles', 'mixes sessions up', 'leaks a listener',
  'leaves a timer', 'stays open', 'leaks with time',
] as const

/** One of {@link OUTBOUND_FAULTS}. */
export type OutboundFault = typeof OUTBOUND_FAULTS[number]
