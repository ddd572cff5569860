/** What Linux tells of a process, and the children of this one, which all end with it. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const TICKS_PER_SECOND = 100
const READY_MS = 20_000
const CLOSE_MS = 5_000
/** An HTTP/2 connection is kept for the next tunnels. */
const KEPT_FILES = 16
const children = new Set()

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** User and system time of a process so far. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

export function residentKib(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1])
}

export function openFiles(pid) {
  return readdirSync(`/proc/${pid}/fd`).length
}

export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
  children.add(child)
  child.once('close', () => children.delete(child))
  return child
}

export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await closed
}

/** The first line that a child prints. */
export function firstLine(child) {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('close', (code) => reject(new Error(`It ended with ${code} and said ${JSON.stringify(text)}`)))
  })
}

/** Waits until a port accepts. */
export async function accepting(port) {
  for (const endMs = performance.now() + READY_MS; performance.now() < endMs;) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await sleep(50)
  }
  throw new Error(`Nothing accepts on port ${port}`)
}

/** Waits until a process has no more open than this, and some that it keeps; not for ever. */
export async function closed(pid, files) {
  for (const endMs = performance.now() + CLOSE_MS; performance.now() < endMs && openFiles(pid) > files + KEPT_FILES;) await sleep(50)
}
