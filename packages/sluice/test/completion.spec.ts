import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Command, Option } from 'commander'
import { describe, expect, it } from 'vitest'
import { completionScript } from '../src/cli/completion.js'
import { startCommand } from './command.js'

const run = promisify(execFile)

function program(): Command {
  const command = new Command('tool').option('-v, --verbose', 'say more')
  command.command('run').description('it\'s what runs').option('-c, --config <file>', 'a file')
    .addOption(new Option('--level <level>', 'how much').choices(['low', 'high']))
  command.command('route').command('test').option('--json', 'as JSON')
  return command
}

/** What bash offers for these words, of which the last is begun. */
async function offered(script: string, name: string, words: readonly string[]): Promise<string[]> {
  const ask = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${name}; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['-c', ask, 'bash', name, ...words])
  return stdout.split('\n').filter((line) => line !== '')
}

describe('completionScript()', () => {
  it.each([
    [[''], ['run', 'route', 'help', '-v', '--verbose', '-h', '--help']],
    [['r'], ['run', 'route']],
    [['run', '--'], ['--config', '--level', '--help']],
    [['run', '--level', ''], ['low', 'high']],
    [['run', '--level', 'low', '--c'], ['--config']],
    [['route', 't'], ['test']],
    [['-v', 'route', 'test', '--j'], ['--json']],
  ])('offers bash after %j', async (words, expected) => {
    expect((await offered(completionScript('bash', program()), 'tool', words)).sort()).toEqual([...expected].sort())
  })

  it('offers files behind options that take one', async () => {
    expect(await offered(completionScript('bash', program()), 'tool', ['run', '-c', '/etc/pass'])).toContain('/etc/passwd')
  })

  it('makes a script for fish, with descriptions in quotes', () => {
    const lines = completionScript('fish', program()).split('\n')
    expect(lines).toContain('complete -c tool -n \'not __fish_seen_subcommand_from run route help\' -f -a run -d \'it\'\\\'\'s what runs\'')
    expect(lines).toContain('complete -c tool -n \'__fish_seen_subcommand_from run\' -l level -x -a \'low high\' -d \'how much\'')
  })

  it('makes one for zsh, and refuses others', () => {
    expect(completionScript('zsh', program())).toMatch(/^#compdef tool\n/)
    expect(() => completionScript('tcsh', program())).toThrow('bash, zsh, fish')
  })
})

describe('sluice completion', () => {
  it('writes a script that bash can use', async () => {
    await using command = startCommand('completion', 'bash')
    expect(await command.exit).toBe(0)
    expect(await offered(command.out(), 'sluice', ['doct'])).toEqual(['doctor'])
  })
})
