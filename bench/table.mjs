/** The figures of all rounds as a table: the least of each system, its ratio to v2ray, and how far the ratios of the rounds lie apart. */
const DIGITS = 2

function least(values) {
  return Math.min(...values)
}

function format(value) {
  return Number.isFinite(value) ? value.toFixed(DIGITS) : '–'
}

/** @param figures Of each kind and row: by system, a value of each round. */
export function tableOf(figures, systems) {
  const [own, other] = systems
  const head = ['', '', ...systems, ...(other === undefined ? [] : ['ratio', 'ratios of the rounds'])]
  const rows = [...figures].map(([key, bySystem]) => {
    const [kind, row] = key.split('|')
    const values = systems.map((system) => bySystem.get(system) ?? [])
    const cells = [kind, row, ...values.map((all) => (all.length === 0 ? '–' : format(least(all))))]
    if (other === undefined) return cells
    const ratios = values[0].map((value, round) => value / values[1][round]).filter(Number.isFinite)
    const spread = ratios.length === 0 ? '–' : `${format(Math.min(...ratios))}–${format(Math.max(...ratios))}`
    return [...cells, `${format(least(values[0]) / least(values[1]))}`, spread]
  })
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [`${line(head)}`, line(head.map((_, index) => (index < 2 ? '---' : '---:'))), ...rows.map(line)].join('\n')
    .replaceAll('NaN', '–') + `\n\nLeast of the rounds; ratio = ${own} / ${other ?? '–'}.`
}
