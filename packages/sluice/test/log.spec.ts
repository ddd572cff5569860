import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fault, ProxyError, type Config, type Context } from '@sluice/core'
import { connectTo, startTarget, testContext } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { createInstance, modules } from '../src/index.js'
import { addressMask } from '../src/log/address-mask.js'
import { JsonLog } from '../src/log/json-log.js'
import { formatAccess, formatEntry } from '../src/log/log-format.js'
import { checkLog, type LogSettings } from '../src/log/log-settings.js'

function ended(changes: Partial<Context> = {}): Context {
  const context = testContext({
    target: { network: 'tcp', host: 'site.test', port: 443 }, source: { host: '192.0.2.7', port: 51_000 }, inboundTag: 'in',
    user: { name: 'ann', level: 0 }, id: 'a1', ...changes,
  })
  Object.assign(context.record, {
    establishedMs: 3, outboundTag: 'up', outcome: 'closed', uplinkBytes: 1, downlinkBytes: 2, durationMs: 9, attempts: 1, server: 'p.test:3128',
  })
  return context
}

describe('formatAccess()', () => {
  it('puts date, source, verdict, target, tags and user in the order that readers of v2ray\'s log know', () => {
    expect(formatAccess(ended())).toMatch(
      /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d tcp:192\.0\.2\.7:51000 accepted tcp:site\.test:443 \[in -> up\] email: ann closed up=1 down=2 ms=9 /)
  })

  it('calls a session rejected that never opened, and says why', () => {
    const context = ended()
    delete context.record.establishedMs
    Object.assign(context.record, { outcome: 'failed', error: new ProxyError('AUTH', 'no', { side: 'upstream' }) })
    expect(formatAccess(context)).toContain(' rejected tcp:site.test:443 [in -> up] email: ann failed AUTH ')
  })
})

describe('formatEntry()', () => {
  it('colours the level only where it is told to', () => {
    const entry = { level: 'warning', message: 'careful', session: ended() } as const
    expect(formatEntry(entry)).toMatch(/ \[Warning\] \[a1\] careful$/)
    expect(formatEntry(entry, { hasColours: true })).toContain('[\u001b[33mWarning\u001b[0m]')
  })
})

describe('JsonLog', () => {
  it('writes a line of JSON for each session and each entry', () => {
    const lines: string[] = []
    const log = new JsonLog((line) => lines.push(line))
    log.access(ended())
    log.entry({ level: 'warning', message: 'a\nb', session: ended(), error: new ProxyError('DIAL', 'refused', { side: 'upstream' }) })
    const [access, entry] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(access).toMatchObject({
      level: 'info', msg: 'accepted', session: 'a1', source: '192.0.2.7:51000', network: 'tcp', target: 'site.test:443', inbound: 'in',
      outbound: 'up', email: 'ann', outcome: 'closed', uplinkBytes: 1, downlinkBytes: 2, durationMs: 9, attempts: 1, server: 'p.test:3128',
    })
    expect(entry).toMatchObject({ level: 'warning', msg: 'a?b', session: 'a1', code: 'DIAL', error: 'refused' })
    expect(new Date(String(entry?.['time'])).getTime()).toBeGreaterThan(Date.now() - 60_000)
    expect(lines.every((line) => line.endsWith('}\n'))).toBe(true)
  })
})

describe('addressMask()', () => {
  const line = '2026/11/23 00:18:22 tcp:192.0.2.7:51000 accepted tcp:[2001:db8:1:2::7]:443 [1.2.3.4:80 -> up] email: a 10.0.0.1.test'

  it.each([
    ['quarter', ['tcp:192.0.*.*:51000', 'tcp:[2001:db8::/32]:443', '1.2.*.*:80']],
    ['half', ['tcp:192.*.*.*:51000', 'tcp:[2001::/16]:443', '1.*.*.*:80']],
    ['full', ['tcp:[Masked IPv4]:51000', 'tcp:[[Masked IPv6]]:443', '[Masked IPv4]:80']],
    ['/24+/48', ['tcp:192.0.2.*:51000', 'tcp:[2001:db8:1::/48]:443', '1.2.3.*:80']],
    ['', ['tcp:192.0.2.7:51000', 'tcp:[2001:db8:1:2::7]:443', '1.2.3.4:80']],
  ])('hides with "%s" what it should, and leaves the time', (setting, parts) => {
    const masked = addressMask(setting)(line)
    for (const part of ['2026/11/23 00:18:22 ', ...parts]) expect(masked).toContain(part)
  })

  it('knows addresses in every spelling', () => {
    const mask = addressMask('/32+/40')
    expect(['::1', '::', '::ffff:1.2.3.4', 'fe80::1', '2001:db8:ff00:1:2:3:4:5'].map(mask)).toEqual([
      '::/40', '::/40', '::/40', 'fe80::/40', '2001:db8:ff00::/40'])
    expect(addressMask(undefined)('1.2.3.4')).toBe('1.2.3.4')
  })
})

describe('logFeature', () => {
  const run = async (log: LogSettings, refuse = false): Promise<void> => {
    await using target = await startTarget('banner')
    const config: Config = {
      log, inbounds: [{ tag: 'in', protocol: 'http', port: 0 }], outbounds: [{ tag: 'out', protocol: refuse ? 'blackhole' : 'freedom' }],
    }
    const instance = createInstance(config, { modules })
    await instance.start()
    const closed = new Promise<void>((resolve) => { instance.events.on('session:close', () => resolve()) })
    const socket = await connectTo(instance.listening[0]?.address.port ?? 0)
    socket.resume().end(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await closed
    await instance.stop({ drainMs: 0 })
    socket.destroy()
  }

  it('writes sessions and failures to their files, for the owner alone, and all of it before the instance has stopped', async () => {
    await using folder = await logFolder()
    const [access, error] = [join(folder.path, 'access.log'), join(folder.path, 'error.log')]
    await run({ access, error, loglevel: 'debug' })
    await run({ access, error, loglevel: 'debug', maskAddress: 'full', format: 'json' }, true)
    const lines = (await readFile(access, 'utf8')).trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/ tcp:127\.0\.0\.1:\d+ accepted tcp:127\.0\.0\.1:\d+ \[in -> out\] /)
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ msg: 'rejected', code: 'BLOCKED', target: expect.stringMatching(/^\[Masked IPv4\]:/) as string })
    expect(await readFile(error, 'utf8')).toContain('BLOCKED')
    expect((await stat(access)).mode & 0o777).toBe(0o600)
  })

  it('takes one file for both, and writes nothing to "none"', async () => {
    await using folder = await logFolder()
    const both = join(folder.path, 'both.log')
    await run({ access: both, error: both, loglevel: 'debug' }, true)
    const text = await readFile(both, 'utf8')
    expect(text).toContain(' rejected ')
    expect(text).toContain('[Warning]')
    await run({ access: 'none', error: both, loglevel: 'none' }, true)
    expect(await readFile(both, 'utf8')).toBe(text)
  })

  it('fails the start where a file cannot be opened, and closes what it had', async () => {
    await using folder = await logFolder()
    const instance = createInstance({ log: { access: join(folder.path, 'a.log'), error: folder.path } }, { modules })
    await expect(instance.start()).rejects.toThrow(`Cannot open log file "${folder.path}"`)
  })

  it('accepts dnsLog in vain, and refuses masks that it cannot read', () => {
    expect(checkLog({ dnsLog: true })).toEqual([fault(['dnsLog'], expect.stringContaining('is ignored') as string, { severity: 'warning' })])
    expect(() => createInstance({ log: { maskAddress: 'eighth' } }, { modules })).toThrow('log.maskAddress')
  })
})

async function logFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-log-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
