/** The program under the soak: an instance in a process of its own, so that all it holds is its own. Started with `--expose-gc`. */
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { createInstance, modules } from '../packages/sluice/dist/index.js'

const CALM_MS = 300

/** What the process holds once the garbage is gone. */
async function measure(instance) {
  await delay(CALM_MS)
  for (let round = 0; round < 3; round++) globalThis.gc()
  const { heapUsed, rss } = process.memoryUsage()
  const resources = process.getActiveResourcesInfo()
  return {
    sessions: instance.connections().length,
    fds: readdirSync('/proc/self/fd').length,
    timers: resources.filter((kind) => kind === 'Timeout').length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    heapBytes: heapUsed,
    rssBytes: rss,
  }
}

process.once('message', async (config) => {
  const instance = createInstance(config, { modules })
  await instance.start()
  process.on('message', async () => process.send(await measure(instance)))
  process.send({ ports: instance.listening.map(({ address }) => address.port) })
})
process.once('disconnect', () => process.exit())
