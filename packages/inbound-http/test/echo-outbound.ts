import { DEFAULT_POLICY, defineOutbound, type Context } from '@sluice/core'
import { connectionPair, relay } from '@sluice/transport'

declare module '@sluice/core' {
  interface OutboundSettings {
    echo: Readonly<Record<never, never>>
  }
}

/** An outbound whose every target sends back what it gets. What it was asked for is collected. */
export function echoOutbound(asked: Context[]): ReturnType<typeof defineOutbound> {
  return defineOutbound({
    protocol: 'echo',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    create: () => ({
      async process(ctx, link) {
        asked.push(ctx)
        const [near, far] = connectionPair()
        far.pipe(far)
        link.open()
        await relay(link, near, { ...DEFAULT_POLICY, record: ctx.record, signal: ctx.signal })
      },
    }),
  })
}
