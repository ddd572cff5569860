import { Draft, formatPath, parsePath, respell, type Fault } from '@sluice/core'
import type { ConfigDocument } from './config-document.js'
import { dropApi } from './drop-api.js'
import { dropRemarks, dropUnset } from './drop-unset.js'
import { envelopeNames } from './envelope-names.js'
import { locateFaults } from './locate-faults.js'
import { readEnvironment, type Environment } from './read-environment.js'
import { rewriteInbounds, rewriteOutbounds, tellLoopback } from './rewrite-handlers.js'
import { rewriteSections } from './rewrite-sections.js'
import { isObject, Rewriting } from './rewriting.js'
import { bareUnknown, skipUnknown, type KnownProtocols } from './skip-unknown.js'

export interface NormalizeOptions {
  /** Top-level sections that modules serve: they are kept, whatever they are. @default none */
  readonly sections?: Iterable<string>
  /** The protocols that modules serve: of handlers of others nothing is told but that. @default all are taken for known */
  readonly known?: KnownProtocols
  /** Leave out handlers of unknown protocols, with a warning each. @default false */
  readonly skipUnknown?: boolean
  /** For ports and addresses written as `env:NAME`. @default process.env */
  readonly env?: Environment
}

/**
 * The same config in one form: keys of the envelope in whatever case, old names of v2ray, Xray's aliases, and what has no meaning
 * here taken out. Everything that was read differently or taken out is among the remarks; some of them may be errors. Settings of
 * protocols are left to their modules. What the result locates is where it was written.
 */
export function normalizeConfig(document: ConfigDocument, options: NormalizeOptions = {}): ConfigDocument {
  const { sections = [], known, env = process.env } = options
  const draft = new Draft(document.config)
  const rewriting = new Rewriting(draft)
  const { root } = draft
  dropUnset(root)
  if (isObject(root)) {
    dropRemarks(root)
    rewriting.pass(respell(draft, root, envelopeNames, []))
    const kept = new Set(sections)
    rewriteSections(rewriting, root, kept)
    readEnvironment(rewriting, root, env)
    rewriteInbounds(rewriting, root)
    if (!kept.has('api')) dropApi(rewriting, root)
    tellLoopback(rewriting, root)
    rewriteOutbounds(rewriting, root)
    if (known !== undefined && options.skipUnknown === true) skipUnknown(rewriting, root, known)
    if (known !== undefined) bareUnknown(root, known)
  }
  return new NormalizedDocument(document, draft, rewriting.remarks)
}

class NormalizedDocument implements ConfigDocument {
  readonly config: unknown
  readonly remarks: readonly Fault[]
  readonly text: string
  readonly file?: string
  readonly #document: ConfigDocument
  readonly #draft: Draft

  constructor(document: ConfigDocument, draft: Draft, remarks: readonly Fault[]) {
    this.config = draft.root
    this.remarks = [...document.remarks, ...locateFaults(remarks, document)]
    this.text = document.text
    if (document.file !== undefined) this.file = document.file
    this.#document = document
    this.#draft = draft
  }

  locate(path: string, part?: 'key' | 'value'): ReturnType<ConfigDocument['locate']> {
    return this.#document.locate(this.source(path)?.path ?? path, part)
  }

  source(path: string): ReturnType<NonNullable<ConfigDocument['source']>> {
    try {
      return { document: this.#document, path: formatPath(this.#draft.originOf(parsePath(path))) }
    } catch {
      // A module may write a path of its own making; its fault is told without a position.
      return undefined
    }
  }
}
