import { fault, type Fault } from '@sluice/core'
import type { LevelSettings, PolicySettings } from './policy-settings.js'

const MAX_LEVEL = 0xffff_ffff

const IGNORED_IN_LEVELS = {
  bufferSize: 'is ignored: the streams of Node keep their own high-water marks',
  statsUserOnline: 'is ignored: users who are online are not counted',
} as const satisfies Partial<Record<keyof LevelSettings, string>>

/** What the schema cannot say: levels beyond 32 bits, and settings that have no effect here. */
export function checkPolicy({ levels = {}, system }: PolicySettings): Fault[] {
  const faults = Object.entries(levels).flatMap(([key, level]) => levelFaults(key, level))
  if (system?.overrideAccessLogDest !== undefined) {
    const why = 'is ignored: the access log always names the target that the client asked for'
    faults.push(fault(['system', 'overrideAccessLogDest'], why, { severity: 'warning' }))
  }
  return faults
}

function levelFaults(key: string, level: LevelSettings): Fault[] {
  const faults: Fault[] = []
  if (Number(key) > MAX_LEVEL) faults.push(fault(['levels', key], `must be at most ${MAX_LEVEL}`))
  for (const [name, why] of Object.entries(IGNORED_IN_LEVELS)) {
    if (level[name as keyof LevelSettings] !== undefined) faults.push(fault(['levels', key, name], why, { severity: 'warning' }))
  }
  return faults
}
