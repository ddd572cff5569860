import { startProxy } from 'sluice'

await using proxy = await startProxy({ upstream: 'http://user:pass@proxy.example:3128' })
console.log(`chromium --proxy-server=${proxy.url}`)
