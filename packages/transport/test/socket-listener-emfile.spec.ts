import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InstanceEvents, type Connection } from '@sluice/core'
import { connectTo, until, untilSteady } from '@sluice/testkit'
import { SocketListenerFactory } from '../src/socket-listener-factory.js'

const CLIENTS = 60

/** Connects to the port that it is told; when told again, gives its parent the limit back, for which that one has no descriptor. */
const HELPER = `
  const { connect } = require('node:net')
  const { execFileSync } = require('node:child_process')
  process.stdin.once('data', (port) => {
    for (let i = 0; i < ${CLIENTS}; i++) connect(Number(port), '127.0.0.1').on('error', () => {}).resume()
    process.stdin.once('data', (limit) => {
      execFileSync('prlimit', ['--pid', String(process.ppid), '--nofile=' + limit + ':'])
      process.stdout.write('done')
    })
  })`

function prlimit(...options: string[]): string {
  return execFileSync('prlimit', ['--pid', String(process.pid), ...options], { encoding: 'utf8' }).trim()
}

/** A descriptor is the lowest free number, and the limit is the first number that is too high. */
function limitThatLeaves(free: number): number {
  const inUse = new Set(readdirSync('/proc/self/fd').map(Number))
  let number = 0
  for (let found = 0; found < free; number += 1) if (!inUse.has(number)) found += 1
  return number
}

describe.runIf(process.platform === 'linux')('SocketListener without file descriptors', () => {
  it('goes on listening, and accepts again when some are free', async () => {
    const limit = prlimit('--nofile', '--output=SOFT', '--noheadings')
    const listener = new SocketListenerFactory(new InstanceEvents()).create({ listen: '127.0.0.1', port: 0, stream: {}, handshakeMs: 0 })
    const accepted: Connection[] = []
    const { port } = await listener.start((connection) => {
      accepted.push(connection)
      connection.write('hello')
    })
    const helper = spawn(process.execPath, ['-e', HELPER], { stdio: ['pipe', 'pipe', 'inherit'] })
    const done = once(helper.stdout, 'data')
    prlimit(`--nofile=${limitThatLeaves(8)}:`)
    helper.stdin.write(String(port))
    await until(() => accepted.length > 0, 'the first connection', 5_000)
    const few = await untilSteady(() => accepted.length, 'the accepted connections')
    helper.stdin.write(limit)
    await done
    expect(few).toBeLessThan(CLIENTS)

    const client = await connectTo(port)
    expect(String((await once(client, 'data'))[0])).toBe('hello')
    client.destroy()
    helper.kill()
    await listener.close()
  })
})
