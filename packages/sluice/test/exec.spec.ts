import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectProxy, startHttpTarget, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { hostPatterns } from '../src/cli/host-patterns.js'
import { configFile, startCommand } from './command.js'
import { runMain } from './run-main.js'

/** A child that asks for a URL through its environment's proxy, as the target itself would have it, and prints the answer. */
const CURL = ['curl', '-sS', '--max-time', '10', '--noproxy', '', '-p', '-D', '-']

describe('sluice exec', () => {
  it('runs a command with a proxy in its environment, and sums up', async () => {
    await using target = await startHttpTarget((_request, response) => response.end('hello'))
    await using proxy = await connectProxy({ auth: { user: 'u', pass: 'p' } })
    await using command = startCommand('exec', '-F', `http://u:p@127.0.0.1:${proxy.port}`, '--', ...CURL, `http://127.0.0.1:${target.port}/`)
    expect(await command.exit).toBe(0)
    expect(command.out()).toMatch(/hello$/)
    expect(proxy.requests).toHaveLength(1)
    expect(command.err()).toMatch(new RegExp(
      `^sluice exec: 1 session, \\d+ B up, \\d+ B down in [\\d.]+ s\n  127\\.0\\.0\\.1:${target.port}: 1 session, \\d+ B up, \\d+ B down\n$`))
  })

  it('sets every variable, and hands no secret on', async () => {
    const print = 'console.log(JSON.stringify(process.env))'
    await using command = startCommand('exec', '-q', '--', process.execPath, '-e', print)
    expect(await command.exit).toBe(0)
    const env = JSON.parse(command.out()) as Record<string, string>
    const url = env['HTTPS_PROXY']
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'npm_config_proxy', 'npm_config_https_proxy']) {
      expect([name, env[name]]).toEqual([name, url])
    }
    expect([env['NO_PROXY'], env['no_proxy'], env['NODE_USE_ENV_PROXY']]).toEqual(['localhost,127.0.0.1,::1', 'localhost,127.0.0.1,::1', '1'])
    expect(command.err()).toBe('')
  })

  it.each([
    ['an exit code', ['sh', '-c', 'exit 7'], 7], ['a signal', ['sh', '-c', 'kill -TERM $$'], 143],
    ['no such command', ['/nowhere/at-all'], 127], ['a file that is no command', ['/etc/passwd'], 126],
    ['options that are its own', ['sh', '-c', 'test "$1" = -F', 'sh', '-F'], 0],
  ])('exits as its command does: %s', async (_what, words, code) => {
    expect((await runMain('exec', '-q', '--', ...words)).code).toBe(code)
  })

  it('passes signals on', async () => {
    const script = 'trap "echo got it; exit 3" TERM; echo ready; for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do sleep 0.5; done'
    await using command = startCommand('exec', '-q', 'sh', '-c', script)
    await until(() => command.out().includes('ready'), () => `the child: ${command.err()}`, 10_000)
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(3)
    expect(command.out()).toContain('got it')
  })

  it('keeps to --allow, says why to the client, and audits each session', async () => {
    await using target = await startHttpTarget((_request, response) => response.end('hello'))
    await using folder = await configFile('')
    const audit = join(folder.path, '..', 'audit.jsonl')
    const script = `curl -s -o /dev/null --noproxy '' -p http://127.0.0.1:${target.port}/; curl -s -p -D - http://evil.test/`
    await using command = startCommand('exec', '--allow', '127.0.0.1,*.good.test', '--audit', audit, '--', 'sh', '-c', script)
    await command.exit
    expect(command.out()).toMatch(/^HTTP\/1.1 403 /)
    expect(command.err()).toContain('failed with BLOCKED: evil.test:80')
    const lines = readFileSync(audit, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([
      { host: '127.0.0.1', port: target.port, outcome: 'closed', outbound: 'direct', downlinkBytes: expect.any(Number) as number },
      { host: 'evil.test', port: 80, outcome: 'failed', code: 'BLOCKED', reason: 'Target evil.test:80 is refused: it is not named by --allow' },
    ])
  })
})

describe('hostPatterns()', () => {
  it.each([
    ['example.com', ['example.com:1', 'EXAMPLE.com.:1'], ['www.example.com:1', 'badexample.com:1']],
    ['*.example.com', ['a.example.com:1'], ['example.com:1', 'aexample.com:1']],
    ['.example.com', ['a.example.com:1', 'example.com:1'], ['aexample.com:1']],
    ['example.com:443', ['example.com:443'], ['example.com:80']],
    ['10.0.0.0/8', ['10.2.3.4:1'], ['11.0.0.1:1', '10.test:1']],
    ['[2001:db8::/32]:22', ['2001:db8::5:22'], ['2001:db8::5:23']],
    ['*', ['anything.test:1', '::1:1'], []],
  ])('%s', (pattern, inside, outside) => {
    const test = hostPatterns([pattern], '--allow')
    const of = (target: string): boolean => test(target.slice(0, target.lastIndexOf(':')), Number(target.slice(target.lastIndexOf(':') + 1)))
    expect(inside.map(of)).toEqual(inside.map(() => true))
    expect(outside.map(of)).toEqual(outside.map(() => false))
  })

  it.each(['http://a.test', 'a*b.test', '10.0.0.0/64'])('refuses %s', (pattern) => {
    expect(() => hostPatterns([pattern], '--deny')).toThrow(/^Cannot read --deny/)
  })
})
