import { once } from 'node:events'
import { createInstance, defineConfig, dial, modules } from 'sluice'

const config = defineConfig({
  outbounds: [{ protocol: 'http', settings: { servers: [{ address: '127.0.0.1', port: 3128 }] } }],
})

await using instance = createInstance(config, { modules })
instance.events.on('session:close', ({ target, record }) => console.log(target.host, record.outcome, record.downlinkBytes))
await instance.start()

const connection = await dial(instance, { host: 'example.com', port: 80 })
connection.write('GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n')
connection.pipe(process.stdout)
await once(connection, 'end')
connection.end()
