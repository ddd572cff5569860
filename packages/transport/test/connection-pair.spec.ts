import { once } from 'node:events'
import { pattern, sha256 } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { connectionPair } from '../src/index.js'
import { closed } from './closed.js'
import { readAll } from './read-all.js'

describe('connectionPair()', () => {
  it('carries bytes both ways, and each end by itself', async () => {
    const [a, b] = connectionPair()
    a.end('to b')
    expect(await readAll(b)).toBe('to b')
    expect(b.destroyed).toBe(false)
    b.end('to a')
    expect(await readAll(a)).toBe('to a')
    await Promise.all([closed(a), closed(b)])
    expect(a.errored ?? b.errored).toBe(null)
  })

  it('holds the writer up while nobody reads, and goes on when somebody does', async () => {
    const [a, b] = connectionPair()
    const bytes = pattern(1 << 20)
    for (let at = 0; at < bytes.length; at += 4096) a.write(bytes.subarray(at, at + 4096))
    expect(a.writableNeedDrain).toBe(true)
    expect(b.readableLength).toBeLessThanOrEqual(b.readableHighWaterMark + 4096)
    a.end()
    const chunks: Buffer[] = []
    b.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(b, 'end')
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(bytes))
    b.destroy()
  })

  it('emits drain only when the reader took what was written', async () => {
    const [a, b] = connectionPair()
    while (a.write(Buffer.alloc(1024)));
    let drained = false
    a.once('drain', () => { drained = true })
    await new Promise(setImmediate)
    expect(drained).toBe(false)
    b.resume()
    await once(a, 'drain')
    a.destroy()
  })

  it('destroy(error) fails both ends with the error, and so does it from the other end', async () => {
    const error = new Error('cut by the test')
    for (const index of [0, 1]) {
      const pair = connectionPair()
      pair[index]?.destroy(error)
      await Promise.all(pair.map(closed))
      expect(pair.map((end) => end.errored)).toEqual([error, error])
    }
  })

  it('destroy(error) drops what was not read', async () => {
    const [a, b] = connectionPair()
    a.write('unread')
    a.destroy(new Error('cut by the test'))
    await expect(readAll(b)).rejects.toThrow('cut by the test')
  })

  it('destroy() without an error is read as an end behind what was written, and writing fails with EPIPE', async () => {
    const [a, b] = connectionPair()
    a.write('last words')
    a.destroy()
    expect(await readAll(b)).toBe('last words')
    expect(b.destroyed).toBe(false)
    b.write('too late')
    await closed(b)
    expect(b.errored).toMatchObject({ code: 'EPIPE' })
  })

  it('fails a write that waits when the other end is destroyed', async () => {
    const [a, b] = connectionPair()
    while (a.write(Buffer.alloc(1024)));
    b.destroy()
    await closed(a)
    expect(a.errored).toMatchObject({ code: 'EPIPE' })
  })

  it('passes writes of no bytes on as nothing', async () => {
    const [a, b] = connectionPair()
    await new Promise<void>((resolve, reject) => { a.write(Buffer.alloc(0), (error) => { if (error) reject(error); else resolve() }) })
    a.end('after nothing')
    expect((await once(b, 'data')).toString()).toBe('after nothing')
    b.destroy()
  })
})
