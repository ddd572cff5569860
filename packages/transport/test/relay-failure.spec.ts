import { ProxyError } from '@sluice/core'
import { pattern, until, within } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { rejection } from './rejection.js'
import { cut, expectCut, rig, type Kind } from './relay-rig.js'

const UPSTREAMS: Kind[] = ['tcp', 'tls', 'pair', 'nested']

describe.each(UPSTREAMS)('relay() with an upstream over %s', (kind) => {
  it('C147 cuts the client off when the upstream is reset, and never ends it in order', async () => {
    await using session = await rig(kind)
    const { client, target, done, record } = session
    await target.send('half of a ')
    await client.expect('half of a ')
    cut(target)
    const error = await rejection(done) as ProxyError
    expect(error).toBeInstanceOf(ProxyError)
    expect(error).toMatchObject({ code: 'ABORT', side: 'upstream', phase: 'relay' })
    expect(error.cause).toBeInstanceOf(Error)
    await client.expectReset()
    expect(record.outcome).toBeUndefined()
  })

  it('C147 cuts the client off when the reset comes right behind data', async () => {
    await using session = await rig(kind)
    const { client, target, done } = session
    await target.send('half of a message')
    cut(target)
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    await expectCut(client)
  })

  it('C148 aborts the upstream within 50 ms when the client is reset', async () => {
    await using session = await rig(kind)
    const { client, target, done } = session
    await client.send('half of a ')
    await target.expect('half of a ')
    cut(client)
    const error = await within(50, 'the relay to reject', rejection(done)) as ProxyError
    expect(error).toMatchObject({ code: 'ABORT', side: 'downstream', phase: 'relay', cause: { code: 'ECONNRESET' } })
    await within(50, 'the upstream to be cut', target.closed)
    await expectCut(target)
  })

  // While nobody reads a socket, Node does not learn of its reset.
  it('C148 aborts the upstream when the client was reset while it was held up, once the upstream takes bytes again', async () => {
    await using session = await rig(kind)
    const { client, target, done } = session
    target.pause()
    client.socket.write(pattern(32 << 20))
    await until(() => session.connection.writableNeedDrain, 'the uplink to be held up')
    cut(client)
    target.resume()
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'downstream' })
    await expectCut(target)
  })

  it('C148 aborts the upstream when a client that has ended no longer takes the answer', async () => {
    await using session = await rig(kind)
    const { client, target, done } = session
    await client.send('request')
    await client.fin()
    await target.expect('request')
    await target.expectEnd()
    client.socket.destroy()
    target.socket.write(pattern(1 << 20))
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'downstream' })
    await expectCut(target)
  })

  it('rejects with the reason of its signal as it is, and cuts both sides', async () => {
    await using session = await rig(kind)
    const { client, target, controller, done } = session
    await client.send('x')
    await target.expect('x')
    const reason = { any: 'value' }
    controller.abort(reason)
    expect(await rejection(done)).toBe(reason)
    await client.expectReset()
    await expectCut(target)
  })

  it('rejects with the reason of a signal that is aborted already', async () => {
    const reason = new Error('cancelled before')
    await using session = await rig(kind, { signal: AbortSignal.abort(reason) })
    expect(await rejection(session.done)).toBe(reason)
    await session.client.expectReset()
    await expectCut(session.target)
  })

  it('rejects when the client was gone before it began', async () => {
    await using session = await rig(kind, {
      async before(link, _connection, { client }) {
        await client.reset()
        await until(() => link.reader.destroyed, 'the reset to be seen')
      },
    })
    expect(await rejection(session.done)).toMatchObject({ code: 'ABORT', side: 'downstream', cause: { code: 'ECONNRESET' } })
    await expectCut(session.target)
  })

  it('rejects when the upstream was gone before it began', async () => {
    await using session = await rig(kind, {
      async before(_link, connection, { target }) {
        connection.read(0)
        cut(target)
        await until(() => connection.destroyed, 'the reset to be seen')
      },
    })
    expect(await rejection(session.done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    await session.client.expectReset()
  })

  it('rejects when somebody destroys one of the streams', async () => {
    for (const side of ['downstream', 'upstream'] as const) {
      await using session = await rig(kind)
      const { client, target, link, connection, done } = session
      await client.send('x')
      await target.expect('x')
      ;(side === 'downstream' ? link.reader : connection).destroy()
      expect(await rejection(done)).toMatchObject({ code: 'ABORT', side })
      await expectCut(side === 'downstream' ? target : client)
    }
  })

  it('C154 settles once, whatever else comes in the same tick and after', async () => {
    await using session = await rig(kind)
    const { client, target, link, connection, controller, done } = session
    client.socket.end('last words')
    cut(client)
    target.socket.end('last text')
    cut(target)
    await done.catch(() => {})
    controller.abort(new Error('too late'))
    for (const stream of [link.reader, connection]) {
      stream.destroy(new Error('even later'))
      stream.emit('error', new Error('and later'))
      stream.emit('close')
      stream.emit('end')
    }
  })
})

describe('relay()', () => {
  it('C154 ends each side exactly once', async () => {
    for (const halfClose of ['propagate', 'hold'] as const) {
      const ends: string[] = []
      await using session = await rig('tcp', {
        halfClose,
        before(link, connection) {
          for (const [name, stream] of [['downstream', link.writer], ['upstream', connection]] as const) {
            stream.once('prefinish', () => ends.push(`${name} finishes`))
            const end = stream.end.bind(stream) as (...args: unknown[]) => typeof stream
            stream.end = ((...args: unknown[]) => {
              ends.push(`${name} is ended`)
              return end(...args)
            }) as typeof stream.end
          }
        },
      })
      await Promise.all([session.client.fin(), session.target.fin()])
      await session.done
      expect(ends.toSorted()).toEqual(['downstream finishes', 'downstream is ended', 'upstream finishes', 'upstream is ended'])
    }
  })

  it('takes nothing more from a target whose time is over', async () => {
    await using session = await rig('pair', { downstream: 'pair', downlinkOnlyMs: 0 })
    const { client, target, connection, done } = session
    client.pause()
    await target.send(pattern(10_000))
    target.socket.write(pattern(10_000))
    await client.fin()
    await until(() => connection.isPaused(), 'the end of the target\'s time')
    target.socket.write(pattern(100_000))
    expect(target.socket.writableNeedDrain).toBe(true)
    client.resume()
    await done
    expect(client.receivedBytes).toBe(20_000)
  })
})

describe('relay() when the upstream is lost after the target\'s end', () => {
  it('still delivers all that came to a slow client, and rejects if the client\'s bytes were lost', async () => {
    await using session = await rig('tcp')
    const { client, target, done } = session
    client.pause()
    await target.send(pattern(2 << 20))
    await target.fin()
    await until(() => session.connection.readableEnded || session.connection.isPaused(), 'the downlink to be held up')
    client.resume()
    await until(() => client.ended, 'the end of the target')
    expect(client.received.equals(pattern(2 << 20))).toBe(true)
    cut(target)
    await client.send('more')
    await client.send('and more')
    await client.fin()
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    expect(client.error).toBeUndefined()
  })

  it('hears the client out for uplinkOnly at most, then cuts it off', async () => {
    await using session = await rig('tcp', { uplinkOnlyMs: 150 })
    const { client, target, done } = session
    await target.send('413')
    await target.fin()
    await client.expect('413')
    await client.expectEnd()
    cut(target)
    const upload = setInterval(() => client.socket.write('.'), 5)
    const start = performance.now()
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
    clearInterval(upload)
    expect(performance.now() - start).toBeLessThan(1_500)
    await expectCut(client)
  })

  it('resolves if nothing was lost', async () => {
    await using session = await rig('pair')
    const { client, target, record, done } = session
    await target.send('bye')
    await target.fin()
    await client.expect('bye')
    await client.expectEnd()
    session.connection.destroy()
    await client.fin()
    await done
    expect(record.outcome).toBe('closed')
  })

  it('rejects at once if the end of the client could not be passed on any more', async () => {
    await using session = await rig('pair')
    const { client, target, record, done } = session
    target.pause()
    for (const bytes of [10_000, 20_000]) {
      await client.send(pattern(10_000))
      await until(() => record.uplinkBytes === bytes, 'the uplink')
    }
    await client.fin()
    await until(() => session.connection.writableEnded, 'the end of the client')
    await target.fin()
    await client.expectEnd()
    await until(() => session.link.writer.writableFinished, 'the downlink to be flushed')
    session.connection.destroy()
    expect(await within(500, 'the relay to reject', rejection(done))).toMatchObject({ code: 'ABORT', side: 'upstream' })
  })

  it('rejects if the client sent more after that', async () => {
    await using session = await rig('pair')
    const { client, target, done } = session
    await target.fin()
    await client.expectEnd()
    session.connection.destroy()
    await client.send('to nobody')
    await client.fin()
    expect(await rejection(done)).toMatchObject({ code: 'ABORT', side: 'upstream' })
  })
})

