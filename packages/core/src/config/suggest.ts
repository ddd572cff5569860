/** The candidate that is most likely meant by a mistyped word: at most a third of its letters away, or one within the other. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = distanceOf(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `did you mean "x"?`, or nothing. */
export function suggestion(word: string, candidates: Iterable<string>): { hint?: string } {
  const candidate = suggest(word, candidates)
  return candidate === undefined ? {} : { hint: `did you mean "${candidate}"?` }
}

/** `Username` is meant as `user`, and `Password` as `pass`, far as they are by single letters. */
function distanceOf(word: string, candidate: string): number {
  const shorter = Math.min(word.length, candidate.length)
  const isPart = shorter >= 4 && (word.startsWith(candidate) || candidate.startsWith(word))
  return isPart ? 1 : editDistance(word, candidate)
}

/** Letters to insert, leave out, replace, or swap with the next. Words longer than 64 characters are not worth a suggestion. */
function editDistance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? (beforeLast[j - 2] ?? 0) + 1 : replaced
      row.push(Math.min(replaced, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? Number.POSITIVE_INFINITY
}
