/**
 * Shell completion, made from the command table itself: bash, zsh and fish. Each script walks the words before the cursor
 * to the command that they name; what a flag takes and what a command takes are not mistaken for commands.
 */
import { invalid } from '@drover/base';
import type { Command, Option } from 'commander';

interface Candidate {
  readonly name: string;
  readonly description: string;
}

interface Node {
  /** Its name, with those of the commands it stands under, then the same with its aliases. */
  readonly paths: readonly string[];
  readonly subcommands: readonly Candidate[];
  readonly options: readonly Option[];
}

/** Words that a flag or a command takes, where they are few and known. */
const choices: Readonly<Record<string, readonly string[]>> = {
  '--output': ['table', 'json', 'yaml'],
  '--role': ['cluster-owner', 'cluster-member'],
  completion: ['bash', 'zsh', 'fish'],
};

const visible = (command: Command) =>
  command.commands.filter(sub => !(sub as Command & { readonly _hidden?: boolean })._hidden);

function nodesBelow(command: Command, paths: readonly string[]): Node[] {
  const subs = visible(command);
  const subcommands = subs.map(sub => ({ name: sub.name(), description: sub.description() }));
  const words = (choices[paths[0]!] ?? []).map(name => ({ name, description: '' }));
  const options = command.options.filter(option => !option.hidden && option.long);
  const below = subs.flatMap(sub => {
    const names = [sub.name(), ...sub.aliases()];
    return nodesBelow(
      sub,
      names.map(name => (paths[0] ? `${paths[0]} ${name}` : name)),
    );
  });
  return [{ paths, subcommands: [...subcommands, ...words], options }, ...below];
}

/** Every command with what may follow it; `extra` is what the program runs besides its own commands. */
function nodesOf(program: Command, extra: readonly Candidate[]): Node[] {
  const [root, ...below] = nodesBelow(program, ['']);
  const topics = root!.subcommands;
  return [
    { ...root!, subcommands: [...topics, ...extra] },
    ...below.map(node => (node.paths[0] === 'help' ? { ...node, subcommands: topics } : node)),
  ];
}

/** The flags that take a value, each with its short form. */
function valued(nodes: readonly Node[]): Option[] {
  const taking = nodes.flatMap(node => node.options).filter(option => option.required);
  return [...new Map(taking.map(option => [option.long, option])).values()];
}

const spellings = (option: Option) => [option.long!, ...(option.short ? [option.short] : [])];
const takesFile = (option: Option) => option.flags.endsWith('<file>');

/** The script to be sourced; throws Invalid for a shell that is not known. */
export function completionScript(program: Command, shell: string, extra: readonly Candidate[] = []): string {
  const nodes = nodesOf(program, extra);
  if (shell === 'bash') return bash(nodes);
  if (shell === 'zsh') return zsh(nodes);
  if (shell === 'fish') return fish(nodes);
  throw invalid('shell', `"${shell}" must be bash, zsh or fish`);
}

/** The walk as bash and zsh have it in common: sets `at` to the command reached and `flag` to the flag whose value comes next. */
function walk(nodes: readonly Node[], before: string): string {
  const flags = valued(nodes).flatMap(spellings).join(' | ');
  const steps = nodes
    .filter(node => node.paths[0] !== '')
    .map(node => `      ${node.paths.map(path => `'${path}'`).join(' | ')}) at='${node.paths[0]}' ;;`);
  return `  local at='' flag='' word
  for word in ${before}; do
    if [[ -n $flag ]]; then
      [[ $word == '=' ]] || flag=''
      continue
    fi
    case $word in
      ${flags}) flag=$word; continue ;;
      -*) continue ;;
    esac
    case "\${at:+$at }$word" in
${steps.join('\n')}
    esac
  done`;
}

function bash(nodes: readonly Node[]): string {
  const names = ({ subcommands, options }: Node) =>
    [...subcommands.map(({ name }) => name), ...options.map(option => option.long)].join(' ');
  const values = valued(nodes).flatMap(option =>
    choices[option.long!]
      ? [`    ${spellings(option).join(' | ')}) words='${choices[option.long!]!.join(' ')}' ;;`]
      : [],
  );
  return `_drover() {
${walk(nodes, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  local words='' current=\${COMP_WORDS[COMP_CWORD]}
  [[ $current == '=' ]] && current=''
  case $flag in
    '') case $at in
${nodes.map(node => `      '${node.paths[0]}') words='${names(node)}' ;;`).join('\n')}
    esac ;;
${values.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _drover drover
`;
}

function zsh(nodes: readonly Node[]): string {
  const quote = (text: string) => text.replaceAll("'", "'\\''").replaceAll(':', '\\:');
  const item = ({ name, description }: Candidate) => `'${quote(name)}${description ? `:${quote(description)}` : ''}'`;
  const list = (node: Node) =>
    [...node.subcommands, ...node.options.map(option => ({ name: option.long!, description: option.description }))]
      .map(item)
      .join(' ');
  const values = valued(nodes).map(option => {
    const words = choices[option.long!];
    const what = words ? `options=(${words.join(' ')})` : takesFile(option) ? '_files; return' : 'return';
    return `    ${spellings(option).join(' | ')}) ${what} ;;`;
  });
  return `#compdef drover
_drover() {
  local -a options
${walk(nodes, `"\${(@)words[2,CURRENT-1]}"`)}
  case $flag in
    '') case $at in
${nodes.map(node => `      '${node.paths[0]}') options=(${list(node)}) ;;`).join('\n')}
    esac ;;
${values.join('\n')}
  esac
  if (( \${#options} )); then _describe 'drover' options; else _files; fi
}
if [[ $funcstack[1] == _drover ]]; then
  _drover "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
  compdef _drover drover
fi
`;
}

function fish(nodes: readonly Node[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const steps = nodes
    .filter(node => node.paths[0] !== '')
    .map(node => `      case ${node.paths.map(quote).join(' ')}\n        set at ${quote(node.paths[0]!)}`);
  const rule = (node: Node, what: string, description: string) =>
    `complete -c drover -n "__drover_at ${quote(node.paths[0]!)}" ${what}${description ? ` -d ${quote(description)}` : ''}`;
  const flag = (option: Option) => {
    const words = choices[option.long!];
    const value = words ? `-x -a ${quote(words.join(' '))}` : takesFile(option) ? '-r -F' : '-x';
    return [`-l ${option.long!.slice(2)}`, option.short && `-s ${option.short.slice(1)}`, option.required && value]
      .filter(Boolean)
      .join(' ');
  };
  const rules = nodes.flatMap(node => [
    ...node.subcommands.map(({ name, description }) => rule(node, `-f -a ${quote(name)}`, description)),
    ...node.options.map(option => rule(node, flag(option), option.description)),
  ]);
  return `function __drover_at
  set -l at ''
  set -l skip no
  set -l before (commandline -opc)
  set -e before[1]
  for word in $before
    if test $skip = yes
      set skip no
      continue
    end
    switch $word
      case ${valued(nodes).flatMap(spellings).join(' ')}
        set skip yes
        continue
      case '-*'
        continue
    end
    switch (string trim -- "$at $word")
${steps.join('\n')}
    end
  end
  test "$at" = "$argv[1]"
end
${rules.join('\n')}
`;
}
