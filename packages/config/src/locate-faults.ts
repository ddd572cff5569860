import type { Fault } from '@sluice/core'
import type { ConfigDocument } from './config-document.js'

/**
 * The same faults with file, line and column, and with the path at which it was written: of an unknown key the key's, of a missing
 * one the object's that lacks it, of all others the value's. A fault that has a line already stays as it is.
 */
export function locateFaults(faults: readonly Fault[], document: ConfigDocument): Fault[] {
  return faults.map((item) => {
    if (item.line !== undefined) return item
    const source = document.source?.(item.path)
    if (source !== undefined) return locateFaults([{ ...item, path: source.path }], source.document)[0] ?? item
    const position = document.locate(item.path, item.message === 'unknown key' ? 'key' : 'value')
    return { ...item, ...(document.file === undefined ? {} : { file: document.file }), ...position }
  })
}
