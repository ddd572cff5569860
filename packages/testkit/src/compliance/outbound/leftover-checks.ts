import { leakCounter } from '../../leak-counter.js'
import type { Target } from '../../target/start-target.js'
import { until } from '../../until.js'
import { exchange } from './exchange.js'
import type { OutboundBench } from './outbound-bench.js'
import type { OutboundCheck } from './outbound-check.js'
import type { TestSession } from './test-session.js'

const AT_ONCE = 20

/** What is left of sessions afterwards: nothing. */
export const leftoverChecks: readonly OutboundCheck[] = [
  {
    title: 'process() leaves no socket, timer or listener behind, however sessions end',
    leavesNothing: true,
    async run(bench) {
      const echo = await bench.target('echo')
      const reset = await bench.target('reset')
      await exchange(bench, echo, 0)
      const counter = leakCounter()
      for (let round = 1; round <= 3; round += 1) {
        await exchange(bench, echo, round)
        if (bench.options.passesReset !== false) await cut(await bench.session(reset))
        const cancelled = await (await bench.session(echo)).opened()
        cancelled.controller.abort()
        await cancelled.settled()
        cancelled.link.close()
      }
      await bench.expectDialledGone()
      const seen = [...echo.connections, ...reset.connections]
      await until(() => seen.every(({ closed }) => closed), 'the targets to lose their clients', bench.limitMs)
      if (bench.options.pools !== true) await counter.expectNoLeaks(bench.limitMs)
    },
  },
  {
    title: 'process() leaves nothing behind after many sessions, which end in turn in every way',
    leavesNothing: true,
    async run(bench) {
      const { rounds = 200, passesReset } = bench.options
      const [echo, reset] = [await bench.target('echo'), await bench.target('reset')]
      const ways = [exchangeOne, clientResets, cancels, ...(passesReset === false ? [] : [targetResets])]
      let next = 0
      const lane = async (): Promise<void> => {
        for (let index = next++; index < rounds; index = next++) await ways[index % ways.length]?.(bench, { echo, reset, index })
      }
      await Promise.all(Array.from({ length: AT_ONCE }, lane))
      await bench.expectDialledGone()
    },
  },
  {
    title: 'close() may be called as soon as the sessions are cut, and settles them all',
    leavesNothing: true,
    async run(bench) {
      const target = await bench.target('echo')
      const sessions = await Promise.all(Array.from({ length: 5 }, async () => (await bench.session(target)).opened()))
      for (const { controller } of sessions) controller.abort(new Error('the instance stops'))
      await bench.closeOutbound()
      for (const session of sessions) await session.rejected()
      const open = (): number => bench.dialer.connections.filter(({ destroyed }) => !destroyed).length
      await until(() => open() === 0, () => `connections to the upstream to be gone: ${open()}`, bench.limitMs)
    },
  },
]

interface Round {
  readonly echo: Target
  readonly reset: Target
  readonly index: number
}

async function exchangeOne(bench: OutboundBench, { echo, index }: Round): Promise<void> {
  await exchange(bench, echo, index)
}

async function targetResets(bench: OutboundBench, { reset }: Round): Promise<void> {
  await cut(await bench.session(reset))
}

async function clientResets(bench: OutboundBench, { echo }: Round): Promise<void> {
  const session = await (await bench.session(echo)).opened()
  await session.client.reset()
  await session.settled()
  session.expectNoSignalListener()
  session.link.close()
}

async function cancels(bench: OutboundBench, { echo, index }: Round): Promise<void> {
  const session = await bench.session(echo)
  // One while it is being opened, the next one afterwards.
  if (index % 2 === 0) await session.opened()
  session.controller.abort(new Error('cancelled'))
  await session.settled()
  session.expectNoSignalListener()
  session.link.close()
}

/** A session whose target resets. */
async function cut(session: TestSession): Promise<void> {
  await session.opened()
  await session.client.send('x')
  await session.settled()
  session.link.close()
}
