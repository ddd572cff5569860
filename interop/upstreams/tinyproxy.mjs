import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.mjs'
import { listening } from '../processes.mjs'
import { pathOf } from '../tools.mjs'

const losesHalfClose = 'tinyproxy ends the tunnel at the client\'s FIN, and the late reply is lost'

/** Tinyproxy: in clear, and with Basic (it answers 401 to a wrong password). One process each. */
export const tinyproxy = {
  tools: ['tinyproxy'],
  upstreams: [{ name: 'tinyproxy', losesHalfClose }, { name: 'tinyproxy-basic', basic: true, losesHalfClose }],

  async start({ folder, account, environment, programs }) {
    const base = join(folder, 'tinyproxy')
    mkdirSync(base)
    const one = async (name, extra) => {
      const port = await freePort()
      const config = join(base, `${name}.conf`)
      writeFileSync(config, `
Port ${port}
Listen 127.0.0.1
Timeout 60
MaxClients 200
Allow 127.0.0.1
LogLevel Connect
${extra}
`)
      const program = programs.start(name, pathOf('tinyproxy'), ['-d', '-c', config], { env: environment })
      await listening(program, [port])
      const requests = () => program.output.match(/Request \(.*CONNECT/g)?.length ?? 0
      return { port, requests }
    }
    return {
      'tinyproxy': await one('tinyproxy', ''),
      'tinyproxy-basic': await one('tinyproxy-basic', `BasicAuth ${account.user} ${account.pass}`),
    }
  },
}
