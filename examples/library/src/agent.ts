import { get } from 'node:https'
import { once } from 'node:events'
import { agent } from 'sluice'

await using via = agent('http://user:pass@proxy.example:3128')
const [response] = await once(get('https://example.com/', { agent: via.https }), 'response')
response.pipe(process.stdout)
await once(response, 'end')
