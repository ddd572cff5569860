/** The text of every documentation comment of a source, with its lines where they were; everything else is an empty line. */
export function commentText(source) {
  const lines = source.split('\n').map(() => '')
  for (const match of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const first = source.slice(0, match.index).split('\n').length - 1
    match[0].split('\n').forEach((line, index) => {
      lines[first + index] = line.replace(/^\s*\/?\*+\/?\s?/, '').replace(/\s*\*\/\s*$/, '')
    })
  }
  return lines.join('\n')
}
