import { describe, expect, it } from 'vitest'
import { pattern, sha256 } from '@sluice/testkit'
import { answer, Case, PAYLOAD, requestFor, VARIANTS, WIRES } from './harness.js'

const OK = 'HTTP/1.1 200 OK\r\n\r\n'

for (const variant of VARIANTS) describe(`The first bytes of a tunnel over ${variant.over}`, () => {
  it('C030 what comes behind the head in the same write is neither lost nor doubled', async () => {
    await using run = await Case.start(variant, answer(`${OK}SSH-2.0-x\r\n`))
    await run.carries('SSH-2.0-x\r\n')
  })

  it('C034 nothing of the client goes before the 200, then all', async () => {
    await using run = await Case.start(variant, async (peer, say) => {
      await peer.expectHead()
      await peer.expectSilence(100)
      await say(OK)
    })
    await run.carries('')
  })

  it('C036 a head, data and a FIN in one write: the data, then the end', async () => {
    await using run = await Case.start(variant, async (peer, say) => {
      await peer.expectHead()
      if (variant.chunk === undefined) peer.socket.end(`${OK}data`)
      else {
        await say(`${OK}data`)
        await peer.fin()
      }
    })
    const { client } = run.session.link
    await client.expect('data')
    await client.expectEnd()
    await client.fin()
    await run.session.ended('closed')
    expect(run.session.ctx.record).toMatchObject({ downlinkBytes: 4, uplinkBytes: PAYLOAD.length, attempts: 1 })
  })

  it('C038 a 200 and at once a FIN: an open tunnel that ends in order, not asked for again', async () => {
    await using run = await Case.start(variant, async (peer, say) => {
      await peer.expectHead()
      await say(OK)
      await peer.fin()
    })
    const { client } = run.session.link
    await run.session.opened()
    await client.expectEnd()
    await client.fin()
    await run.session.ended('closed')
    expect(run.session.ctx.record).toMatchObject({ downlinkBytes: 0, attempts: 1 })
    expect(run.upstream.requests).toEqual([requestFor()])
  })

  it('C039 what looks like an answer is passed on as it is', async () => {
    const bytes = 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n'
    await using run = await Case.start(variant, answer(OK, bytes))
    await run.carries(bytes)
  })
})

for (const variant of WIRES) describe(`The first bytes of a tunnel over ${variant.over}`, () => {
  it('C032 1 MiB behind the head in one burst comes whole', async () => {
    const bytes = pattern(1_048_576)
    await using run = await Case.start(variant, answer(Buffer.concat([Buffer.from(OK), bytes])))
    expect(sha256(await run.session.link.client.expectBytes(bytes.length))).toBe(sha256(bytes))
    await (await run.peer).expect(PAYLOAD)
    await run.session.end(await run.peer)
    expect(run.session.ctx.record.downlinkBytes).toBe(bytes.length)
  })

  it('C033 nobody says anything: the tunnel opens, and only the idle limit ends it', async () => {
    await using run = await Case.start(variant, answer(OK), { policy: { connIdleMs: 200 }, session: { payload: '' } })
    await run.session.opened()
    const openedAt = performance.now()
    await run.session.ended('idle')
    expect(performance.now() - openedAt).toBeGreaterThan(180)
    expect(run.session.ctx.record).toMatchObject({ uplinkBytes: 0, downlinkBytes: 0, attempts: 1 })
    await (await run.peer).expectEnd()
  })
})
