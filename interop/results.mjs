/** So that a table fits on a screen. */
const MAX_COLUMNS = 7

/** The marks of all cells: pass, xfail (fails as written down), FAIL, skip; and what a reader must know beside them. */
export class Results {
  #columns
  #marks
  #notes = new Set()
  #isClosed = false

  /** A cell that does not apply to an upstream has no mark. */
  constructor(cells, upstreams) {
    this.#columns = upstreams.map(({ name }) => name)
    const open = (cell) => upstreams.filter((upstream) => cell.applies?.(upstream) ?? true).map(({ name }) => [name, undefined])
    this.#marks = new Map(cells.map((cell) => [cell.name, new Map(open(cell))]))
  }

  mark(cell, upstream, mark) {
    if (!this.#isClosed) this.#marks.get(cell).set(upstream, mark)
  }

  note(text) {
    if (!this.#isClosed) this.#notes.add(text)
  }

  /** From now on nothing changes: what runs still is being stopped, and fails for that alone. */
  close() {
    this.#isClosed = true
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
    const tables = []
    for (let from = 0; from < this.#columns.length; from += MAX_COLUMNS) {
      tables.push(this.#table(this.#columns.slice(from, from + MAX_COLUMNS)))
    }
    return [...tables, ...this.#notes].join('\n')
  }

  #table(columns) {
    const rows = [...this.#marks].filter(([, row]) => columns.some((column) => row.has(column)))
    const width = Math.max(...rows.map(([name]) => name.length))
    const padded = (cells) => cells.map((cell, index) => cell.padEnd(columns[index].length))
    const line = (head, cells) => [head.padEnd(width), ...padded(cells)].join('  ').trimEnd()
    return [line('', columns), ...rows.map(([name, row]) => line(name, columns.map((column) => row.get(column) ?? '-'))), ''].join('\n')
  }
}
