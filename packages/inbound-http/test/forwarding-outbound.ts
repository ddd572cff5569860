import { DEFAULT_POLICY, defineOutbound, tcp } from '@sluice/core'
import { relay } from '@sluice/transport'

declare module '@sluice/core' {
  interface OutboundSettings {
    forwarding: Readonly<Record<never, never>>
  }
}

/** An outbound that gives plain requests to a proxy on this port of loopback as they are, in absolute-form, with credentials. */
export function forwardingOutbound(port: number, credentials = 'Basic dTpw'): ReturnType<typeof defineOutbound> {
  return defineOutbound({
    protocol: 'forwarding',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    create: () => ({
      async process(ctx, link, dialer) {
        const { signal, record } = ctx
        const connection = await dialer.dial(tcp('127.0.0.1', port), { signal, session: ctx })
        link.open({ form: 'absolute', headers: [['Proxy-Authorization', credentials]] })
        await relay(link, connection, { ...DEFAULT_POLICY, record, signal })
      },
    }),
  })
}
