import { writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ERROR_CODES, ProxyError, type ProxyErrorCode } from '@sluice/core'
import { closedPort, connectProxy, createCertificates, http2ConnectProxy, startHttpTarget } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { hintFor } from '../src/cli/doctor-hints.js'
import type { DoctorStep } from '../src/cli/doctor-report.js'
import { configFile, startCommand } from './command.js'
import { runMain } from './run-main.js'

const certificates = await createCertificates()
const tls = await certificates.issue()

interface Result {
  readonly ok: boolean
  readonly steps: readonly DoctorStep[]
}

async function doctor(...args: string[]): Promise<Result & { readonly code: number, readonly out: string }> {
  const { code, out, err } = await runMain('doctor', '--json', ...args)
  expect(err).toBe('')
  return { code, out, ...JSON.parse(out) as Result }
}

const namesOf = ({ steps }: Result): string[] => steps.map(({ step, of }) => `${step} of ${of}`)

describe('sluice doctor', () => {
  it('tells each step to a plain target, with its time', async () => {
    await using target = await startHttpTarget()
    await using proxy = await connectProxy()
    const { code, out } = await runMain('doctor', '-F', `http://127.0.0.1:${proxy.port}`, `http://127.0.0.1:${target.port}/x?y`)
    expect(code).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^ok {3}dns of the proxy {9}\s*[\d.]+ ms {2}127\.0\.0\.1 is an address$/),
      expect.stringMatching(/^ok {3}tcp of the proxy/),
      expect.stringMatching(new RegExp(`^ok   connect of the target .*a tunnel through 127\\.0\\.0\\.1:${proxy.port}$`)),
      expect.stringMatching(/^ok {3}http of the target .*HTTP\/1\.1 200 OK$/),
    ])
    expect(target.requests[0]).toMatchObject({ method: 'HEAD', url: '/x?y' })
  })

  it('goes over TLS to proxy and target, and names ALPN and certificates', async () => {
    const server = createServer({ cert: tls.certPem, key: tls.keyPem }, (_request, response) => response.writeHead(204).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await using proxy = await http2ConnectProxy({ tls })
    await using folder = await configFile('')
    const ca = join(folder.path, '..', 'ca.pem')
    writeFileSync(ca, certificates.ca.certPem)
    process.env['NODE_EXTRA_CA_CERTS'] = ca
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`
    await using command = startCommand('doctor', '--json', '-F', `https://localhost:${proxy.port}`, url)
    delete process.env['NODE_EXTRA_CA_CERTS']
    const code = await command.exit
    const result = JSON.parse(command.out()) as Result
    server.closeAllConnections()
    server.close()
    expect(namesOf(result)).toEqual(['dns of the proxy', 'tcp of the proxy', 'tls of the proxy', 'connect of the target', 'tls of the target', 'http of the target'])
    expect([code, result.steps[2]?.detail, result.steps[5]?.detail]).toEqual([0, expect.stringMatching(/^TLSv1\.3, h2, certificate/), 'HTTP/1.1 204 No Content'])
  })

  it('ends at a certificate that is not trusted, and says how to trust it', async () => {
    await using proxy = await http2ConnectProxy({ tls })
    const { code, steps } = await doctor('-F', `https://localhost:${proxy.port}`, 'https://a.test/')
    expect([code, steps.at(-1)]).toEqual([1, expect.objectContaining({ step: 'tls', ok: false, hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string })])
  })

  it('names the schemes that the proxy wants', async () => {
    await using proxy = await connectProxy({ auth: { user: 'u', pass: 'hunter2' } })
    const result = await doctor('-F', `http://u:wrongpass@127.0.0.1:${proxy.port}`, 'https://a.test/')
    expect(result.steps.at(-1)).toMatchObject({ step: 'connect', code: 'AUTH', hint: expect.stringContaining('the proxy wants Basic') as string })
    expect(result.out).not.toContain('wrongpass')
  })

  it('knows a proxy that refuses CONNECT to port 80', async () => {
    await using proxy = await connectProxy({ behaviour: 'refuse', status: 403 })
    expect((await doctor('-F', `http://127.0.0.1:${proxy.port}`, 'http://a.test/')).steps.at(-1)).toMatchObject({ code: 'STATUS', hint: expect.stringContaining('plainHttp') as string })
  })

  it('says that nothing listens', async () => {
    const result = await doctor('-F', `http://127.0.0.1:${await closedPort()}`, 'https://a.test/')
    expect([namesOf(result), result.steps.at(-1)]).toEqual([
      ['dns of the proxy', 'tcp of the proxy'], expect.objectContaining({ code: 'ECONNREFUSED', hint: expect.stringContaining('nothing listens') as string }),
    ])
  })

  it('tries the target itself where no proxy is on the way', async () => {
    await using target = await startHttpTarget()
    expect(namesOf(await doctor(`http://127.0.0.1:${target.port}/`))).toEqual(['dns of the target', 'tcp of the target', 'http of the target'])
  })

  it('exits with 2 for what is no URL', async () => {
    expect(await runMain('doctor', 'example.com')).toMatchObject({ code: 2, err: expect.stringContaining('write a URL') as string })
  })
})

describe('hintFor()', () => {
  it.each(Object.keys(ERROR_CODES) as ProxyErrorCode[])('knows what to do about %s', (code) => {
    expect(hintFor(new ProxyError(code, 'x'), { port: 443 })).toMatch(/.{10}/)
  })

  it.each([
    [403, 80, /plainHttp/], [403, 22, /some ports only/], [403, 443, /does not let you/], [405, 443, /no CONNECT proxy/], [404, 443, /web server/],
    [429, 443, /too many/], [504, 443, /cannot reach/], [418, 443, /ask who runs/],
  ])('knows what to do about status %i for port %i', (status, port, hint) => {
    expect(hintFor(new ProxyError('STATUS', 'x', { status }), { port })).toMatch(hint)
  })

  it('tells schemes that cannot be spoken from those that can', () => {
    const error = new ProxyError('AUTH', 'x')
    expect(hintFor(error, { port: 1, schemes: ['Negotiate', 'NTLM'] })).toContain('Negotiate or NTLM, which needs')
    expect(hintFor(error, { port: 1, schemes: ['Negotiate', 'Basic'] })).toContain('give user and password')
    expect(hintFor(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), { port: 1 })).toContain('unknown')
    expect(hintFor(new Error('x'), { port: 1 })).toBeUndefined()
  })
})
