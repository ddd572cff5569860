import { createProxy } from 'sluice'

await using proxy = createProxy('config.json')
await proxy.start()
process.on('SIGHUP', () => proxy.reload().catch(console.error))
await new Promise((resolve) => process.once('SIGTERM', resolve))
console.log(proxy.stats().sessions)
