import { pattern, sha256, until } from '@sluice/testkit'
import { describe, expect, it } from 'vitest'
import { rig, type Kind, type RigOptions } from './relay-rig.js'

const UPSTREAMS: Kind[] = ['tcp', 'tls', 'http2', 'pair', 'nested']
const DOWNSTREAMS: NonNullable<RigOptions['downstream']>[] = ['tcp', 'tls', 'pair', 'split']
const MIB = 1 << 20

describe.each(UPSTREAMS)('relay() with an upstream over %s', (kind) => {
  it('moves bytes both ways and counts them', async () => {
    await using session = await rig(kind)
    const { client, target, record, done } = session
    const [up, down] = [pattern(MIB, 7), pattern(MIB, 99)]
    await Promise.all([client.send(up), target.send(down)])
    await Promise.all([client.fin(), target.fin()])
    await done
    await until(() => client.ended && target.ended, 'both ends to be passed on')
    expect(sha256(target.received)).toBe(sha256(up))
    expect(sha256(client.received)).toBe(sha256(down))
    expect(record).toMatchObject({ uplinkBytes: MIB, downlinkBytes: MIB, outcome: 'closed' })
    expect(record.truncated).toBeUndefined()
  })

  it('C140 passes the client\'s end on and still delivers the late reply', async () => {
    await using session = await rig(kind)
    const { client, target, record, done } = session
    await client.send('request')
    await client.fin()
    await target.expect('request')
    await target.expectEnd()
    await target.send('late ')
    await client.expect('late ')
    await target.send('reply')
    await target.fin()
    await done
    await client.expect('reply')
    await client.expectEnd()
    expect(record).toMatchObject({ uplinkBytes: 7, downlinkBytes: 10, outcome: 'closed' })
  })

  it('C142 passes the target\'s end on, and the client goes on sending', async () => {
    await using session = await rig(kind)
    const { client, target, record, done } = session
    await target.send(pattern(MIB))
    await target.fin()
    await until(() => client.ended, 'the end of the target')
    expect(client.received.equals(pattern(MIB))).toBe(true)
    await client.send(pattern(MIB, 5))
    await client.fin()
    await done
    await until(() => target.ended, 'the end of the client')
    expect(target.received.equals(pattern(MIB, 5))).toBe(true)
    expect(record).toMatchObject({ uplinkBytes: MIB, downlinkBytes: MIB, outcome: 'closed' })
  })

  it('C154 ends once when both sides end in the same tick', async () => {
    await using session = await rig(kind)
    const { client, target, record, done } = session
    client.socket.end('from the client')
    target.socket.end('from the target')
    await done
    await client.expect('from the target')
    await target.expect('from the client')
    await Promise.all([client.expectEnd(), target.expectEnd()])
    expect(record.outcome).toBe('closed')
  })

  it('takes over what was read ahead or put back before it began', async () => {
    await using session = await rig(kind, {
      before(link, connection) {
        link.reader.unshift(Buffer.from('early '))
        connection.unshift(Buffer.from('banner '))
      },
    })
    const { client, target, done } = session
    await Promise.all([client.send('words'), target.send('text')])
    await Promise.all([client.fin(), target.fin()])
    await done
    await target.expect('early words')
    await client.expect('banner text')
  })

  it('takes over ends that came before it began', async () => {
    await using session = await rig(kind, {
      async before(link, connection, { client, target }) {
        await Promise.all([client.fin(), target.fin()])
        for (const stream of [link.reader, connection]) {
          stream.resume()
          await until(() => stream.readableEnded, 'the end to be read')
        }
      },
    })
    const { client, target, record, done } = session
    await done
    await Promise.all([client.expectEnd(), target.expectEnd()])
    expect(record).toMatchObject({ uplinkBytes: 0, downlinkBytes: 0, outcome: 'closed' })
  })

  it('takes over an end of the target that came before it began, and the client still sends', async () => {
    await using session = await rig(kind, {
      async before(_link, connection, { target }) {
        await target.fin()
        connection.resume()
        await until(() => connection.readableEnded, 'the end to be read')
      },
    })
    const { client, target, done } = session
    await client.expectEnd()
    await client.send('late words')
    await client.fin()
    await done
    await target.expect('late words')
  })

  it('lets nothing be lost that came together with the end before it began', async () => {
    await using session = await rig(kind, {
      async before(link, connection, { client, target }) {
        await client.send('last words')
        await client.fin()
        await target.send('last text')
        await target.fin()
        await until(() => link.reader.readableLength === 10, 'the words to arrive')
        connection.read(0)
        await until(() => connection.readableLength === 9, 'the text to arrive')
      },
    })
    const { client, target, done } = session
    await done
    await target.expect('last words')
    await client.expect('last text')
  })

  it('with halfClose hold keeps the client\'s end to itself until the target has ended', async () => {
    await using session = await rig(kind, { halfClose: 'hold' })
    const { client, target, record, done } = session
    await client.send('request')
    await client.fin()
    await target.expect('request')
    await target.send('reply')
    await client.expect('reply')
    expect(target.ended).toBe(false)
    await target.fin()
    await done
    await client.expectEnd()
    await target.expectEnd()
    expect(record.outcome).toBe('closed')
  })
})

describe.each(DOWNSTREAMS)('relay() with a link over %s', (downstream) => {
  it('moves bytes both ways and passes both ends on', async () => {
    await using session = await rig('tcp', { downstream })
    const { client, target, record, done } = session
    await client.send(pattern(MIB))
    await client.fin()
    await until(() => target.ended, 'the end of the client')
    await target.send(pattern(MIB, 3))
    await target.fin()
    await done
    await until(() => client.ended, 'the end of the target')
    expect(target.received.equals(pattern(MIB))).toBe(true)
    expect(client.received.equals(pattern(MIB, 3))).toBe(true)
    expect(record).toMatchObject({ uplinkBytes: MIB, downlinkBytes: MIB, outcome: 'closed' })
  })
})
