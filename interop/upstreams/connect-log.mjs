import { readFileSync } from 'node:fs'

/**
 * The CONNECTs in a log whose lines are `CLIENT-PORT METHOD VERSION STATUS`: over which version of HTTP each came, and over which
 * connection, told by the client's port.
 */
export function parseConnects(text) {
  return [...text.matchAll(/^(\d+) CONNECT HTTP\/(\d)\S* /gm)].map(([, connection, version]) => ({ connection, version }))
}

export function readConnects(path) {
  return parseConnects(readFileSync(path, 'utf8'))
}
