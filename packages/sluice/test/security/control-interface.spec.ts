import { connectTo, Peer, startTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { createInstance, isConfigError, modules, type Config } from '../../src/index.js'

const PASSWORDS = ['correct-horse', 'battery-staple', 'a-long-secret']

function faultsOf(control: object): string[] {
  try {
    createInstance({ control } as Config, { modules })
    return []
  } catch (error) {
    if (!isConfigError(error)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

describe('T15 a control interface', () => {
  it('is not there unless the config asks for it', async () => {
    await using instance = createInstance({}, { modules })
    await instance.start()
    expect(instance.listening).toEqual([])
    expect(process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap')).toEqual([])
  })

  it.each(['0.0.0.0:0', '[::]:0', '192.0.2.1:9090'])('is refused on the public address %s without a secret', (listen) => {
    expect(faultsOf({ listen })).toEqual([expect.stringContaining('control.listen: would let anybody watch and cut sessions')])
    expect(faultsOf({ listen: '127.0.0.1:0' })).toEqual([])
  })

  it('tells nobody a password, and nobody without the secret anything', async () => {
    const port = await freePort()
    await using instance = createInstance({
      stats: {},
      control: { listen: `127.0.0.1:${port}`, secret: 'a-long-secret' },
      inbounds: [{ protocol: 'http', tag: 'in', port: 0, settings: { accounts: [{ user: 'me', pass: 'correct-horse' }] } }],
      outbounds: [{
        protocol: 'http', tag: 'out', settings: { servers: [{ address: '127.0.0.1', port: 1, users: [{ user: 'up', pass: 'battery-staple' }] }] },
      }],
    }, { modules })
    await instance.start()
    const client = new Peer(await connectTo(instance.listening[0]?.address.port ?? 0))
    await client.send(`CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ${btoa('me:correct-horse')}\r\n\r\n`)
    await client.expectHead()
    client.socket.destroy()
    for (const path of ['/metrics', '/stats', '/connections', '/health', '/version']) {
      const url = `http://127.0.0.1:${port}${path}`
      const stranger = await fetch(url)
      expect(stranger.status).toBe(401)
      const answer = await fetch(url, { headers: { authorization: 'Bearer a-long-secret' } })
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
      const text = await answer.text() + await stranger.text()
      expect(PASSWORDS.filter((password) => text.includes(password))).toEqual([])
    }
  })
})

async function freePort(): Promise<number> {
  const target = await startTarget('silent')
  await target.close()
  return target.port
}
