/** Which modules a TypeScript source names, each with its line. The compiler has no API for that any more, so the text is read. */
const COMMENT_OR_TEXT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g
const FORMS = [
  /^[ \t]*(?:import|export)\b[\w$\s{},*]*?\bfrom\s*(['"])(?<module>[^'"\n]+)\1/gm,
  /^[ \t]*import\s*(['"])(?<module>[^'"\n]+)\1/gm,
  /\bimport\(\s*(['"])(?<module>[^'"\n]+)\1/g,
  /\bdeclare\s+module\s*(['"])(?<module>[^'"\n]+)\1/g,
]

export function importsOf(source) {
  const code = source.replace(COMMENT_OR_TEXT, (part) => (part.startsWith('/') ? part.replace(/[^\n]/g, ' ') : part))
  const found = []
  for (const form of FORMS) {
    for (const match of code.matchAll(form)) {
      const end = match.index + match[0].length
      found.push({ module: match.groups.module, line: code.slice(0, end).split('\n').length })
    }
  }
  return found.sort((a, b) => a.line - b.line)
}
