import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { pattern, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { rawSocketOf } from '../src/raw-socket.js'
import { rig } from './relay-rig.js'

describe('relay() over TLS', () => {
  it('C086 notes an end without close_notify within another tunnel', async () => {
    for (const closeNotify of [true, false]) {
      await using session = await rig('nested')
      const { client, target, record, done } = session
      await target.send('answer')
      await client.expect('answer')
      if (closeNotify) target.socket.end()
      else rawSocketOf(target.socket as TLSSocket)?.end()
      await client.expectEnd()
      await client.fin()
      await done
      expect(record).toMatchObject({ outcome: 'closed' })
      expect(record.truncated).toBe(closeNotify ? undefined : true)
    }
  })

  it('C086 notes an end without close_notify, and the client still gets its bytes and the end', async () => {
    for (const text of ['', 'short', pattern(1 << 20).toString('latin1')]) {
      await using session = await rig('tls')
      const { client, target, record, done } = session
      if (text !== '') await target.send(Buffer.from(text, 'latin1'))
      await target.fin({ closeNotify: false })
      await until(() => client.ended, 'the end of the target')
      expect(client.receivedBytes).toBe(text.length)
      await client.fin()
      await done
      expect(record).toMatchObject({ truncated: true, outcome: 'closed' })
    }
  })

  it('C086 notes it after the client has ended', async () => {
    await using session = await rig('tls')
    const { client, target, record, done } = session
    await client.fin()
    await target.expectEnd()
    await target.send('answer')
    await target.fin({ closeNotify: false })
    await done
    await client.expect('answer')
    expect(record.truncated).toBe(true)
  })

  it('C086 notes it when it came while the client was slow, after the last byte was taken', async () => {
    await using session = await rig('tls')
    const { client, target, record, done } = session
    client.pause()
    await target.send(pattern(4 << 20))
    client.resume()
    await until(() => client.receivedBytes === 4 << 20, 'all bytes')
    await target.fin({ closeNotify: false })
    await client.fin()
    await done
    expect(record.truncated).toBe(true)
  })

  it('P36 notes nothing after close_notify, however it comes', async () => {
    for (const bytes of [0, 1, 100_000, 1 << 20]) {
      for (const turns of [0, 1, 3]) {
        await using session = await rig('tls')
        const { client, target, record, done } = session
        if (turns % 2 === 1) client.pause()
        if (bytes > 0) target.socket.write(pattern(bytes))
        for (let turn = 0; turn < turns; turn += 1) await nextTurn()
        target.socket.end()
        client.resume()
        await client.fin()
        await done
        expect(record, `${bytes} bytes, ${turns} turns`).toMatchObject({ outcome: 'closed', downlinkBytes: bytes })
        expect(record.truncated).toBeUndefined()
      }
    }
  })

  it('P36 notes nothing after a close_notify that came while the client held the target up', async () => {
    await using session = await rig('tls', { downstream: 'pair' })
    const { client, target, connection, record, done } = session
    client.pause()
    // One record that holds it up, and little enough behind that the alert and the FIN are read all the same.
    target.socket.end(pattern(20_000))
    await until(() => connection.isPaused() && target.socket.writableFinished, 'the target to be held up')
    for (let turn = 0; turn < 5; turn += 1) await nextTurn()
    client.resume()
    await client.fin()
    await done
    expect(record).toMatchObject({ outcome: 'closed', downlinkBytes: 20_000 })
    expect(record.truncated).toBeUndefined()
  })

  it('notes nothing for what ended before it began, for it cannot know', async () => {
    await using session = await rig('tls', {
      async before(_link, connection, { target }) {
        await target.send('short')
        target.socket.end()
        connection.read(0)
        await until(() => connection.readableLength === 5, 'the bytes')
        for (let turn = 0; turn < 5; turn += 1) await nextTurn()
      },
    })
    const { client, record, done } = session
    await client.fin()
    await done
    await client.expect('short')
    expect(record.truncated).toBeUndefined()
  })

  it('notes nothing about the client', async () => {
    await using session = await rig('tcp', { downstream: 'tls' })
    const { client, target, record, done } = session
    await client.fin({ closeNotify: false })
    await target.fin()
    await done
    expect(record.truncated).toBeUndefined()
  })
})
