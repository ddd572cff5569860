import { describe, it } from 'vitest'
import { answer, Case, VARIANTS, WIRES } from './harness.js'

for (const variant of VARIANTS) describe(`A success over ${variant.over}`, () => {
  it.each([
    ['C001 without fields', 'HTTP/1.1 200 Connection established\r\n\r\n', ''],
    ['C003 of another number, 201', 'HTTP/1.1 201 x\r\n\r\n', 'bytes'],
    ['C003 of another number, 202', 'HTTP/1.1 202 x\r\n\r\n', 'bytes'],
    ['C003 that has no content in HTTP, 204', 'HTTP/1.1 204 No Content\r\n\r\n', 'bytes'],
    ['C003 that nobody has defined, 299', 'HTTP/1.1 299 x\r\n\r\n', 'bytes'],
    ['C004 in HTTP/1.0', 'HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n', 'bytes'],
    ['C005 with a length, which has no meaning', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'TUNNELBYTES'],
    ['C005 with a length of nothing', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'TUNNELBYTES'],
    ['C005 with a coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\nhello'],
    ['C005 with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: x\r\n\r\n', '5\r\nhello'],
    ['C007 after an interim answer', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'bytes'],
    ['C007 after sixteen interim answers', `${'HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n'.repeat(16)}HTTP/1.1 200 OK\r\n\r\n`, 'bytes'],
    ['C011 with Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', 'bytes'],
    ['C011 with Proxy-Connection: close', 'HTTP/1.1 200 OK\r\nProxy-Connection: close\r\n\r\n', 'bytes'],
    ['C011 with a trailer announced', 'HTTP/1.1 200 OK\r\nTrailer: x\r\n\r\n', 'bytes'],
    ['C018 with a reason in UTF-8', 'HTTP/1.1 200 всё хорошо\r\n\r\n', 'bytes'],
    ['C019 with bare line feeds', 'HTTP/1.1 200 OK\nA: b\n\n', 'T'],
    ['C021 with a folded field', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n', 'bytes'],
  ])('%s opens the tunnel', async (_, head, first) => {
    await using run = await Case.start(variant, answer(head + first))
    await run.carries(first)
  })
})

for (const variant of WIRES) describe(`A success over ${variant.over}`, () => {
  it('C007 an interim answer comes 20 ms before the final one', async () => {
    await using run = await Case.start(variant, async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 100 Continue\r\n\r\n')
      await peer.wait(20)
      await peer.send('HTTP/1.1 200 OK\r\n\r\nx')
    })
    await run.carries('x')
  })

  it('C013 a head in single bytes, 1 ms apart', async () => {
    await using run = await Case.start(variant, async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\nA: b\r\n\r\nfirst', { chunk: 1, gapMs: 1 })
    })
    await run.carries('first')
  })

  it('C015 the last line feed comes 200 ms late, with data', async () => {
    await using run = await Case.start(variant, async (peer) => {
      await peer.expectHead()
      await peer.send('HTTP/1.1 200 OK\r\n\r')
      await peer.wait(200)
      await peer.send('\ndata')
    })
    await run.carries('data')
  })

  it('C017 the answer comes before the request was read', async () => {
    await using run = await Case.start(variant, async (peer) => {
      await peer.send('HTTP/1.1 200 OK\r\n\r\nearly')
      await peer.expectHead()
    })
    await run.carries('early')
  })

  it('C018 a reason of 8 KiB', async () => {
    await using run = await Case.start(variant, answer(`HTTP/1.1 200 ${'x'.repeat(8_192)}\r\n\r\n`, 'x'))
    await run.carries('x')
  })
})
