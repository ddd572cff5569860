import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInstance, OUTBOUND_MANAGER, ROUTER, type Context } from '@sluice/core'
import { testContext } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import type { Environment } from '../src/cli/env-proxies.js'
import { upstreamConfig, type UpstreamOptions } from '../src/cli/upstream-options.js'
import { modules } from '../src/index.js'
import { configFile } from './command.js'

/** By which outbound a target is reached, and with which account. */
async function routeOf(env: Environment, target: string, options: UpstreamOptions = { env: true }): Promise<string> {
  const config = upstreamConfig(options, env)
  const instance = createInstance(config, { modules })
  const [, host = '', port = '443'] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(target) ?? []
  const context = testContext({ target: { network: 'tcp', host, port: Number(port) } }) as unknown as Context
  const route = await instance.get(ROUTER).route(context)
  const tag = route?.outboundTag ?? instance.get(OUTBOUND_MANAGER).default?.tag
  const outbound = config.outbounds?.find((one) => one.tag === tag)
  if (outbound?.protocol !== 'http') return String(outbound?.protocol)
  const [server] = outbound.settings?.servers ?? []
  const [user] = server?.users ?? []
  return `${outbound.streamSettings?.security === 'tls' ? 'tls ' : ''}${user === undefined ? '' : `${user.user}:${user.pass ?? ''}@`}${server?.address}:${server?.port}`
}

describe('--env', () => {
  it('goes through HTTPS_PROXY, and for port 80 through HTTP_PROXY', async () => {
    const env = { HTTPS_PROXY: 'http://secure.test:3128', HTTP_PROXY: 'plain.test:8080' }
    expect(await routeOf(env, 'a.test:443')).toBe('secure.test:3128')
    expect(await routeOf(env, 'a.test:22')).toBe('secure.test:3128')
    expect(await routeOf(env, 'a.test:80')).toBe('plain.test:8080')
  })

  it('prefers lower case, then the scheme before ALL_PROXY, and leaves empty ones out', async () => {
    expect(await routeOf({ https_proxy: 'http://low.test:1', HTTPS_PROXY: 'http://up.test:1', ALL_PROXY: 'http://all.test:1' }, 'a.test')).toBe('low.test:1')
    expect(await routeOf({ HTTPS_PROXY: '', ALL_PROXY: 'https://all.test' }, 'a.test')).toBe('tls all.test:443')
    expect(await routeOf({ ALL_PROXY: 'http://all.test:1' }, 'a.test:80')).toBe('all.test:1')
    expect(await routeOf({}, 'a.test')).toBe('freedom')
  })

  it('leaves other targets alone where only HTTP_PROXY is set, and does not take it from a client of a web server', async () => {
    const env = { HTTP_PROXY: 'http://plain.test:1' }
    expect([await routeOf(env, 'a.test:80'), await routeOf(env, 'a.test:443')]).toEqual(['plain.test:1', 'freedom'])
    expect(await routeOf({ ...env, REQUEST_METHOD: 'GET' }, 'a.test:80')).toBe('freedom')
  })

  it.each([
    ['example.com', ['example.com', 'www.example.com'], ['notexample.com', 'example.com.evil.test']],
    ['.example.com', ['example.com', 'www.example.com'], ['notexample.com']],
    ['*.example.com', ['www.example.com'], ['notexample.com']],
    ['EXAMPLE.com', ['www.example.COM'], ['a.test']],
    ['example.com:8443', ['example.com:8443'], ['example.com:443']],
    ['10.0.0.0/8, localhost', ['10.1.2.3', 'localhost'], ['11.0.0.1', 'ten.test']],
    ['192.0.2.1', ['192.0.2.1'], ['192.0.2.2']],
    ['[2001:db8::1]:22 2001:db8:1::/48', ['[2001:db8::1]:22', '[2001:db8:1::7]'], ['[2001:db8::1]:443', '[2001:db8:2::7]']],
    ['*', ['a.test', '1.2.3.4'], []],
  ])('goes past the proxy for NO_PROXY=%s', async (noProxy, straight, proxied) => {
    const env = { HTTPS_PROXY: 'http://proxy.test:1', NO_PROXY: noProxy }
    for (const target of straight) expect([target, await routeOf(env, target)]).toEqual([target, 'freedom'])
    for (const target of proxied) expect([target, await routeOf(env, target)]).toEqual([target, 'proxy.test:1'])
  })

  it('gives way to -F, whose targets NO_PROXY still excepts', async () => {
    const env = { HTTPS_PROXY: 'http://env.test:1', NO_PROXY: 'near.test' }
    const options = { env: true, forward: ['http://flag.test:2'] }
    expect([await routeOf(env, 'a.test', options), await routeOf(env, 'near.test', options)]).toEqual(['flag.test:2', 'freedom'])
    expect(await routeOf(env, 'near.test', { forward: ['http://flag.test:2'] })).toBe('flag.test:2')
  })

  it('refuses what it cannot speak with, and names the variable', () => {
    expect(() => upstreamConfig({ env: true }, { ALL_PROXY: 'socks5://127.0.0.1:1080' })).toThrow(/"socks5:\/\/" \(ALL_PROXY\): use http:\/\/ or https:\/\//)
  })
})

describe('credentials', () => {
  it('are percent-decoded from a URL', async () => {
    expect(await routeOf({ HTTPS_PROXY: 'http://me%40corp:p%3Aa%25%2Fss@proxy.test:1' }, 'a.test')).toBe('me@corp:p:a%/ss@proxy.test:1')
  })

  it('come from a variable that the URL names', async () => {
    process.env['SLUICE_TEST_PASS'] = 'from:env'
    expect(await routeOf({}, 'a.test', { forward: ['http://me:env:SLUICE_TEST_PASS@proxy.test:1'] })).toBe('me:from:env@proxy.test:1')
    delete process.env['SLUICE_TEST_PASS']
    expect(() => upstreamConfig({ forward: ['http://me:env:SLUICE_TEST_PASS@proxy.test:1'] }, {})).toThrow('"SLUICE_TEST_PASS" is not set')
  })

  it('come from --auth-file before SLUICE_AUTH, and never replace those of a URL', async () => {
    await using folder = await configFile('')
    const authFile = join(folder.path, '..', 'auth')
    writeFileSync(authFile, 'file:pass:word\r\n')
    const env = { SLUICE_AUTH: 'env:secret' }
    const forward = ['http://proxy.test:1']
    expect(await routeOf(env, 'a.test', { forward })).toBe('env:secret@proxy.test:1')
    expect(await routeOf(env, 'a.test', { forward, authFile })).toBe('file:pass:word@proxy.test:1')
    expect(await routeOf(env, 'a.test', { forward: ['http://own:one@proxy.test:1'], authFile })).toBe('own:one@proxy.test:1')
  })

  it('are refused where nobody can tell whose they are', () => {
    const forward = ['http://one.test:1', 'http://two.test:1']
    expect(() => upstreamConfig({ forward }, { SLUICE_AUTH: 'a:b' })).toThrow('Cannot tell which upstream')
    expect(() => upstreamConfig({ forward }, { SLUICE_AUTH: 'secretwithoutcolon' })).toThrow(/^Cannot read SLUICE_AUTH: it must be user:password$/)
  })
})
