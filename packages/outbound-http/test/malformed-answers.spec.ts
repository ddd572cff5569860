import { describe, expect, it } from 'vitest'
import type { ProxyErrorCode } from '@sluice/core'
import { answer, Case, VARIANTS, WIRES } from './harness.js'

const KIB = 1_024

for (const variant of VARIANTS) describe(`A malformed answer over ${variant.over}`, () => {
  it.each<[string, ProxyErrorCode, string]>([
    ['C009 seventeen interim answers', 'LIMIT', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17)],
    ['C010 a switch of protocols', 'PROTO', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['C022 a NUL in a value', 'PROTO', 'HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n'],
    ['C022 a NUL in the status line', 'PROTO', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['C022 a bare CR in a value', 'PROTO', 'HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n'],
    ['C024 a space before the colon', 'PROTO', 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n'],
    ['C024 a field without a colon', 'PROTO', 'HTTP/1.1 200 OK\r\nA\r\n\r\n'],
    ['C024 a field without a name', 'PROTO', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['C024 a space before the first field', 'PROTO', 'HTTP/1.1 200 OK\r\n A: b\r\n\r\n'],
    ['C026 HTML without a head', 'PROTO', '<html><h1>400</h1></html>'],
    ['C026 another version', 'PROTO', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['C026 a status of two digits', 'PROTO', 'HTTP/1.1 20 OK\r\n\r\n'],
  ])('%s is refused with %s at once, and not asked for again', async (_, code, text) => {
    await using run = await Case.start(variant, answer(text))
    await run.fails({ code })
  })

  it('C026 HTML without a head, then the end', async () => {
    await using run = await Case.start(variant, async (peer, say) => {
      await peer.expectHead()
      await say('<html><h1>400</h1></html>')
      if (!peer.socket.destroyed) await peer.fin()
    })
    await run.fails({ code: 'PROTO' })
  })

  it('C027 a TLS alert says that TLS is spoken on this port', async () => {
    await using run = await Case.start(variant, answer(Uint8Array.of(0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46)))
    const { message } = await run.fails({ code: 'PROTO' })
    expect(message).toContain('it speaks TLS, so set streamSettings.security to "tls"')
  })

  it('C027 a refusal of plain HTTP on a TLS port is a refusal', async () => {
    await using run = await Case.start(variant, answer('HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n'))
    const { message } = await run.fails({ code: 'STATUS', status: 400 })
    expect(message).toContain('400 The plain HTTP request was sent to HTTPS port')
  })
})

for (const variant of WIRES) describe(`An answer out of bounds over ${variant.over}`, () => {
  it.each([
    ['a field of 16 KiB and one byte', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(16 * KIB - 2)}\r\n\r\n`],
    ['a head of 64 KiB and one byte', `HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(KIB - 5)}\r\n`.repeat(64)}\r\n`],
    ['257 fields', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(257)}\r\n`],
    ['1 MiB without a line end', `HTTP/1.1 200 ${'x'.repeat(KIB * KIB)}`],
    ['1 MiB of fields without an end', `HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(KIB)}\r\n`.repeat(KIB)}`],
  ])('C028 %s is refused with LIMIT', async (_, text) => {
    await using run = await Case.start({ ...variant, chunk: 4_000 }, answer(text))
    await run.fails({ code: 'LIMIT' })
  })

  it('C028 a field of 16 KiB in a head of 64 KiB is taken', async () => {
    const fields = `A: ${'x'.repeat(16 * KIB - 4)}\r\n`.repeat(3) + 'B: c\r\n'.repeat(253)
    await using run = await Case.start({ ...variant, chunk: 4_000 }, answer(`HTTP/1.1 200 OK\r\n${fields}\r\n`, 'bytes'))
    await run.carries('bytes')
  })
})
