import assert from 'node:assert/strict'
import { ERROR_CODES, ProxyError, type ProxyErrorCode } from '@sluice/core'
import { expectNoSecret } from '../expect-no-secret.js'
import type { InboundCheck } from './inbound-check.js'

const FAILURES: readonly ProxyError[] = [
  ...(Object.keys(ERROR_CODES) as ProxyErrorCode[]).map((code) => new ProxyError(code, `Cannot go on: ${code}`)),
  ...[403, 404, 429, 451, 502, 503, 504].map((status) => new ProxyError('STATUS', `The server answered ${status}`, { status })),
]

/** When and what an inbound tells its client. */
export const answerChecks: readonly InboundCheck[] = [
  {
    title: 'handle() tells of success only when the link is opened',
    async run(bench) {
      const visit = await bench.asked()
      const session = await visit.session()
      assert.equal(session.link.opened, false, 'link.opened before open()')
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(visit.answer, undefined, 'an answer before link.open()')
      session.echo()
      const { success, rest } = await visit.answered()
      assert.equal(success, true, 'the answer tells of success')
      assert.equal(rest.length, 0, 'bytes behind the answer')
      assert.equal(session.link.opened, true, 'link.opened after open()')
    },
  },
  {
    title: 'handle() answers once, however often the link is opened',
    async run(bench) {
      const visit = await bench.asked()
      const session = await visit.session()
      session.link.open()
      session.link.open()
      session.echo()
      await visit.answered()
      await visit.client.send('x')
      assert.equal(await visit.echoed(1), 'x')
    },
  },
  {
    title: 'handle() answers each failure truthfully, and then ends the connection',
    async run(bench) {
      for (const error of FAILURES) {
        const visit = await bench.asked()
        const session = await visit.session()
        session.fail(error)
        const { success, code } = await visit.answered()
        const what = `the answer to ${error.code}${error.status === undefined ? '' : ` ${error.status}`}`
        assert.equal(success, false, `${what} tells of success`)
        assert.equal(code, bench.setup.answerCode(error), what)
        assert.equal(session.link.opened, false, 'link.opened')
        await visit.refused()
      }
    },
  },
  {
    title: 'handle() tells no client a secret',
    applies: ({ secrets = [] }) => secrets.length > 0,
    async run(bench) {
      const failed = await bench.asked()
      ;(await failed.session()).fail(new ProxyError('AUTH', 'The server wants other credentials'))
      await failed.refused()
      const malformed = await Promise.all(bench.setup.malformed.map(async (bytes) => {
        const visit = await bench.visit()
        await visit.client.send(bytes)
        await visit.refused()
        return visit
      }))
      for (const { client } of [failed, ...malformed]) expectNoSecret(String(client.received), bench.options.secrets ?? [], 'an answer')
    },
  },
]
