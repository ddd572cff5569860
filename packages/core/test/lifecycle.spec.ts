import { describe, expect, it } from 'vitest'
import { Lifecycle, type Stage } from '../src/instance/lifecycle.js'
import { rejection } from './one-session.js'

/** Stages that note what is done to them; one may fail to start, and any to close. */
function stages(names: string, options: { failsToStart?: string; failToClose?: string } = {}): { list: Stage[]; done: string[] } {
  const done: string[] = []
  const note = async (what: string, fails: boolean): Promise<void> => {
    await Promise.resolve()
    done.push(what)
    if (fails) throw new Error(`Cannot ${what}`)
  }
  const list = [...names].map((name) => ({
    start: () => note(`start ${name}`, name === options.failsToStart),
    close: () => note(`close ${name}`, options.failToClose?.includes(name) === true),
  }))
  return { list, done }
}

describe('Lifecycle', () => {
  it('starts in order, one after the other, and closes in reverse', async () => {
    const { list, done } = stages('abc')
    const lifecycle = new Lifecycle()
    await lifecycle.start(list)
    expect(done).toEqual(['start a', 'start b', 'start c'])
    await lifecycle.stop()
    expect(done.slice(3)).toEqual(['close c', 'close b', 'close a'])
  })

  it('closes what had started when one fails to start, that one included, and throws its error', async () => {
    const { list, done } = stages('abc', { failsToStart: 'b', failToClose: 'a' })
    const lifecycle = new Lifecycle()
    expect(await rejection(lifecycle.start(list))).toEqual(new Error('Cannot start b'))
    expect(done).toEqual(['start a', 'start b', 'close b', 'close a'])
    await lifecycle.stop()
    expect(done).toHaveLength(4)
  })

  it('undoes a start that throws in place of rejecting', async () => {
    const { list, done } = stages('a')
    const broken: Stage = { start: () => {
      throw new Error('boom')
    } }
    expect(await rejection(new Lifecycle().start([...list, broken, {}]))).toEqual(new Error('boom'))
    expect(done).toEqual(['start a', 'close a'])
  })

  it('closes all although some fail to, and throws the first error', async () => {
    const { list, done } = stages('abc', { failToClose: 'bc' })
    const lifecycle = new Lifecycle()
    await lifecycle.start(list)
    expect(await rejection(lifecycle.stop())).toEqual(new Error('Cannot close c'))
    expect(done.slice(3)).toEqual(['close c', 'close b', 'close a'])
    expect(await rejection(lifecycle.stop())).toBeUndefined()
  })

  it('takes stages that need neither', async () => {
    const lifecycle = new Lifecycle()
    await lifecycle.start([{}, {}])
    await lifecycle.stop()
    expect(await rejection(lifecycle.stop())).toBeUndefined()
  })

  it('starts once, also after a failed start and after a stop', async () => {
    const again = new Error('Cannot start an instance twice: create another')
    const started = new Lifecycle()
    await started.start([])
    expect(await rejection(started.start([]))).toEqual(again)
    const failed = new Lifecycle()
    await rejection(failed.start(stages('a', { failsToStart: 'a' }).list))
    expect(await rejection(failed.start([]))).toEqual(again)
    const stopped = new Lifecycle()
    await stopped.stop()
    expect(await rejection(stopped.start([]))).toEqual(again)
  })

  it.each(['first', 'last'])('undoes a start that is stopped during its %s stage', async (which) => {
    const { list, done } = stages('abc')
    const lifecycle = new Lifecycle()
    let stopping: Promise<void> | undefined
    const stage = list[which === 'first' ? 0 : 2]
    const start = stage?.start
    if (stage !== undefined) stage.start = async () => {
      stopping = lifecycle.stop()
      await start?.()
    }
    expect(await rejection(lifecycle.start(list))).toEqual(new Error('Cannot go on with the start: the instance was stopped meanwhile'))
    await stopping
    expect(done).toEqual(which === 'first' ? ['start a', 'close a'] : ['start a', 'start b', 'start c', 'close c', 'close b', 'close a'])
  })
})
