/** The marks of all cells: pass, xfail (fails as written down), FAIL, skip; and what a reader must know beside them. */
export class Results {
  #columns
  #marks
  #notes = new Set()

  /** A cell that does not apply to an upstream has no mark. */
  constructor(cells, upstreams) {
    this.#columns = upstreams.map(({ name }) => name)
    const open = (cell) => upstreams.filter((upstream) => cell.applies?.(upstream) ?? true).map(({ name }) => [name, undefined])
    this.#marks = new Map(cells.map((cell) => [cell.name, new Map(open(cell))]))
  }

  mark(cell, upstream, mark) {
    this.#marks.get(cell).set(upstream, mark)
  }

  note(text) {
    this.#notes.add(text)
  }

  /** Gives every cell of these upstreams that has no mark yet this one. */
  markRest(upstreams, mark, why) {
    let count = 0
    for (const row of this.#marks.values()) {
      for (const name of upstreams) {
        if (!row.has(name) || row.get(name) !== undefined) continue
        row.set(name, mark)
        count += 1
      }
    }
    if (count > 0) this.note(`${mark} ${upstreams.join(', ')}, ${count} cells: ${why}`)
  }

  count(...wanted) {
    return [...this.#marks.values()].flatMap((row) => [...row.values()]).filter((mark) => wanted.includes(mark)).length
  }

  /** One row per behaviour, one column per upstream, then the notes. */
  format() {
    const width = Math.max(...[...this.#marks.keys()].map((name) => name.length))
    const padded = (cells) => cells.map((cell, index) => cell.padEnd(this.#columns[index].length))
    const line = (head, cells) => [head.padEnd(width), ...padded(cells)].join('  ').trimEnd()
    const rows = [...this.#marks].map(([name, row]) => line(name, this.#columns.map((column) => row.get(column) ?? '-')))
    return [line('', this.#columns), ...rows, '', ...this.#notes].join('\n')
  }
}
