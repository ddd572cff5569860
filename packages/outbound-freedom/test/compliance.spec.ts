import { describe, it } from 'vitest'
import { outboundCompliance } from '@sluice/testkit'
import { FreedomOutbound } from '../src/index.js'
import { dialer, noNames } from './dialer.js'

outboundCompliance({
  name: 'freedom', describe, it,
  setup: async ({ policies }) => ({ outbound: new FreedomOutbound({}, policies, noNames), dialer: dialer() }),
})
