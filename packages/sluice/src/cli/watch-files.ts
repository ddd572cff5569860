import { statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Editors write a file in several steps. */
const SETTLE_MS = 100

/**
 * Tells when a file, or any file in a folder, has changed and then stayed as it is for a moment. A file that is put in the place of
 * another is seen as well, for it is its folder that is watched.
 *
 * @returns Ends it.
 */
export function watchFiles(paths: readonly string[], onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const changed = (): void => {
    clearTimeout(timer)
    timer = setTimeout(onChange, SETTLE_MS)
  }
  const watchers = paths.map((path) => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return watch(path, changed)
    return watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) changed()
    })
  })
  // A folder that is removed is no reason to end; SIGHUP still works.
  for (const watcher of watchers) watcher.on('error', () => {})
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
