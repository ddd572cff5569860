import { startProxy } from 'sluice'

const upstreams = ['http://user:pass@proxy.example:3128', 'http://user:pass@proxy2.example:3128']
const onRequest = ({ host }: { host: string }) =>
  host.endsWith('.doubleclick.net') ? { refuse: 'no advertisements' } : { upstream: upstreams[host.length % 2] ?? '' }

await using proxy = await startProxy({ onRequest })
proxy.on('session:close', ({ target, record }) => console.log(target.host, record.outcome, record.downlinkBytes))
