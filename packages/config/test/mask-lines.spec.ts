import { describe, expect, it } from 'vitest'
import { formatCodeFrame } from '../src/index.js'

/** Every line of a text, as a terminal would show it. */
const shown = (text: string): string => text.split('\n').map((_, index) => formatCodeFrame(text, index + 1, 1)).join('\n')

describe('formatCodeFrame() of YAML and TOML', () => {
  it.each([
    'pass: hunter2',
    'users:\n  - { user: u, pass: hunter2 }',
    'users:\n  - user: u\n    pass: hunter2\n    level: 0',
    'password:\n  hunter2',
    'password:\nhunter2',
    'key: |\n  hunter2\n  hunter2\nport: 1',
    'key: [\n"hunter2",\n"hunter2"\n]',
    'pass = "hunter2"',
    'pass = """\nhunter2\n"""',
    'key = [\n"hunter2",\n]',
    'Proxy-Authorization: Basic hunter2',
    'url: http://u:hunter2@host',
    'a: 1 # the password is hunter2',
    'users = [{ user = "u", pass = "hunter2" }]',
  ])('never shows the secret of %j', (text) => {
    expect(shown(text)).not.toContain('hunter2')
  })

  it('shows what is no secret', () => {
    expect(formatCodeFrame('inbounds:\n  - pass: x\n    port: 1\noutbounds: 3', 4, 12)).toBe(
      '  2 |   - pass: *\n  3 |     port: 1\n> 4 | outbounds: 3\n    |            ^')
  })
})
