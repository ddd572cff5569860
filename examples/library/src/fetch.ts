import { connector } from 'sluice'
import { Agent, fetch } from 'undici'

await using connect = connector('http://user:pass@proxy.example:3128')
const dispatcher = new Agent({ connect })
const response = await fetch('https://example.com/', { dispatcher })
console.log(response.status, await response.text())
await dispatcher.close()
