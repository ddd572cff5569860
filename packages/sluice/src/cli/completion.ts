import type { Command, Option } from 'commander'
import { UsageError } from './proxy-url.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** A shell that a script can be made for. */
export type Shell = (typeof SHELLS)[number]

/** A command or subcommand with what can follow it. `path` is empty for the program itself, and `route test` for a nested one. */
interface Node {
  readonly path: string
  readonly commands: readonly { readonly name: string, readonly description: string }[]
  readonly options: readonly Option[]
}

/** The script that completes the command line of a program in that shell. @throws {UsageError} for another shell. */
export function completionScript(shell: string, program: Command): string {
  const nodes = nodesOf(program, '')
  const name = program.name()
  switch (shell) {
    case 'bash': return bashScript(name, nodes)
    case 'zsh': return `#compdef ${name}\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(name, nodes)}`
    case 'fish': return fishScript(name, nodes)
    default: throw new UsageError(`Cannot complete for "${shell}": it must be one of ${SHELLS.join(', ')}`)
  }
}

function nodesOf(command: Command, path: string): Node[] {
  const help = command.createHelp()
  const subcommands = help.visibleCommands(command)
  const node: Node = {
    path,
    commands: subcommands.map((one) => ({ name: one.name(), description: one.description() })),
    options: help.visibleOptions(command),
  }
  const below = subcommands.filter((one) => one.name() !== 'help')
  return [node, ...below.flatMap((one) => nodesOf(one, path === '' ? one.name() : `${path} ${one.name()}`))]
}

/** Words are told from options by walking down the tree; a value follows its option, and is one of its choices or a file. */
function bashScript(name: string, nodes: readonly Node[]): string {
  const nested = nodes.filter(({ path }) => path !== '')
  const cases = nodes.map(({ path, commands, options }) =>
    `    ${quote(path)}) words=${quote([...commands.map((one) => one.name), ...options.flatMap(flagsOf)].join(' '))} ;;`)
  const choices = choicesOf(nodes).map(([flags, values]) =>
    `    ${flags.join('|')}) COMPREPLY=($(compgen -W ${quote(values.join(' '))} -- "$cur")); return ;;`)
  const files = valueFlagsOf(nodes)
  return `_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' word next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${nested.map(({ path }) => quote(path)).join('|')}) path=$next ;;
    esac
  done
  case "$prev" in
${choices.join('\n')}
    ${files.join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _${name} ${name}
`
}

function fishScript(name: string, nodes: readonly Node[]): string {
  return nodes.flatMap(({ path, commands, options }) => {
    const words = path === '' ? [] : path.split(' ')
    const others = commands.map((one) => one.name).join(' ')
    const inside = words.map((word) => `__fish_seen_subcommand_from ${word}`)
    const outside = others === '' ? [] : [`not __fish_seen_subcommand_from ${others}`]
    const condition = [...inside, ...outside].join('; and ')
    const start = `complete -c ${name}${condition === '' ? '' : ` -n ${quote(condition)}`}`
    return [
      ...commands.map((one) => `${start} -f -a ${one.name} -d ${quote(one.description)}`),
      ...options.map((option) => [start, ...fishFlags(option), '-d', quote(option.description)].join(' ')),
    ]
  }).join('\n').concat('\n')
}

function fishFlags({ long, short, argChoices, required, optional }: Option): string[] {
  const flags = [...(long === undefined ? [] : [`-l ${long.slice(2)}`]), ...(short === undefined ? [] : [`-s ${short.slice(1)}`])]
  if (argChoices !== undefined) return [...flags, '-x', `-a ${quote(argChoices.join(' '))}`]
  return required || optional ? [...flags, '-r'] : flags
}

function choicesOf(nodes: readonly Node[]): (readonly [flags: readonly string[], values: readonly string[]])[] {
  const all = nodes.flatMap(({ options }) => options).filter(({ argChoices }) => argChoices !== undefined)
  return [...new Map(all.map((option) => [option.long ?? '', [flagsOf(option), option.argChoices ?? []] as const])).values()]
}

/** Flags that a value of any kind follows. */
function valueFlagsOf(nodes: readonly Node[]): string[] {
  const withValue = nodes.flatMap(({ options }) => options)
    .filter(({ required, optional, argChoices }) => (required || optional) && argChoices === undefined)
  return [...new Set(withValue.flatMap(flagsOf))]
}

function flagsOf({ short, long }: Option): string[] {
  return [short, long].filter((flag) => flag !== undefined)
}

function quote(text: string): string {
  return `'${text.replace(/'/g, '\'\\\'\'')}'`
}
