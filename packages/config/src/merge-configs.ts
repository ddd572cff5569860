import { Draft, formatPath, parsePath, type Fault } from '@sluice/core'
import type { ConfigDocument } from './config-document.js'
import { isObject, objectsOf, type Loose } from './rewriting.js'

const TAIL = /tail[^/\\]*$/i

/**
 * Several configs as one, in v2ray's way: a section of a later one replaces that of an earlier one; a handler replaces the one with
 * its tag; other inbounds are appended, other outbounds put in front, or appended if the file's name contains `tail`.
 */
export function mergeConfigs(documents: readonly [ConfigDocument, ...ConfigDocument[]]): ConfigDocument {
  const [first] = documents
  if (documents.length === 1) return first
  const draft = new Draft(documents.map(({ config }) => config))
  const parts = draft.root as unknown[]
  const merged: Loose = {}
  for (const [index, part] of parts.entries()) {
    // What is no object is wrong by itself, and the check says so of the whole.
    if (!isObject(part)) return documents[index] ?? first
    const isTail = TAIL.test(documents[index]?.file ?? '')
    for (const [key, value] of Object.entries(part)) {
      const isList = (key === 'inbounds' || key === 'outbounds') && Array.isArray(value) && Array.isArray(merged[key])
      if (isList) merged[key] = mergeHandlers(merged[key] as unknown[], value, key === 'outbounds' && !isTail)
      else draft.move(part, key, merged, key)
    }
  }
  draft.root = merged
  return new MergedDocument(documents, draft)
}

function mergeHandlers(earlier: readonly unknown[], later: readonly unknown[], inFront: boolean): unknown[] {
  const list = [...earlier]
  const added = later.filter((handler) => {
    const tag = isObject(handler) ? handler['tag'] : undefined
    const same = objectsOf(list).find(([, item]) => item['tag'] === tag && typeof tag === 'string' && tag !== '')
    if (same !== undefined) list[same[0]] = handler
    return same === undefined
  })
  return inFront ? [...added, ...list] : [...list, ...added]
}

class MergedDocument implements ConfigDocument {
  readonly config: unknown
  readonly remarks: readonly Fault[]
  /** Of the first; the others have their own. */
  readonly text: string
  readonly #documents: readonly [ConfigDocument, ...ConfigDocument[]]
  readonly #draft: Draft

  constructor(documents: readonly [ConfigDocument, ...ConfigDocument[]], draft: Draft) {
    this.config = draft.root
    this.remarks = documents.flatMap(({ remarks }) => remarks)
    this.text = documents[0].text
    this.#documents = documents
    this.#draft = draft
  }

  locate(path: string, part?: 'key' | 'value'): ReturnType<ConfigDocument['locate']> {
    const source = this.source(path)
    return source?.document.locate(source.path, part)
  }

  source(path: string): ReturnType<NonNullable<ConfigDocument['source']>> {
    try {
      const [index, ...rest] = this.#draft.originOf(parsePath(path))
      // What stands nowhere belongs to the whole; the first file stands for it.
      const document = typeof index === 'number' ? this.#documents[index] : undefined
      return document === undefined ? { document: this.#documents[0], path: '' } : { document, path: formatPath(rest) }
    } catch {
      return undefined
    }
  }
}
