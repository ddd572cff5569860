/** The names that an index exports, each with the file, the kind and the documentation comment of its declaration. */
import { dirname, resolve } from 'node:path'
import { commentText } from './doc-comments.mjs'
import { read } from './tree.mjs'

const EXPORT = /^export (?<typeOnly>type )?\{(?<names>[^}]*)\} from '(?<module>[^']+)'/gm
const KINDS = 'interface|type|class|function|const'

export function exportsOf(indexPath) {
  return [...read(indexPath).matchAll(EXPORT)].flatMap(({ groups: { names, module } }) => {
    const path = resolve(dirname(indexPath), module).replace(/\.js$/, '.ts')
    const source = read(path)
    return names.split(',').map((name) => name.trim().replace(/^type /, '')).filter(Boolean).map((name) => ({ name, path, ...declarationOf(source, name) }))
  })
}

/** `kind` is undefined where the source does not declare that name; `doc` where nothing is written right above it. */
function declarationOf(source, name) {
  const match = new RegExp(`^export (?:declare |abstract )?(?<kind>${KINDS}) ${name}\\b`, 'm').exec(source)
  if (match === null) return {}
  const before = source.slice(0, match.index).replace(/^[ \t]*(?:@\w+\([^)]*\)|\/\/.*)\n$/gm, '')
  const comment = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(before)?.[0]
  return { kind: match.groups.kind, doc: comment === undefined ? undefined : commentText(comment).trim() }
}

/** The first sentence of a documentation comment, on one line; what introduces a list ends in a full stop. */
export function firstSentence(doc) {
  const [paragraph = ''] = doc.split(/\n\s*\n|\n(?=@|- |\|)/)
  const text = paragraph.replace(/\s+/g, ' ').replace(/\{@link ([^}]+)\}/g, '`$1`').trim()
  return (/^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text).replace(/:$|(?<![.:…])$/, '.')
}
