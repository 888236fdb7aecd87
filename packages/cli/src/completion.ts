/** Shell completion, made from the command table itself: bash, zsh and fish. */
import { invalid } from '@drover/base';
import type { Command } from 'commander';

interface Node {
  readonly words: readonly string[];
  readonly next: readonly { readonly name: string; readonly description: string }[];
}

/** Every command path with what may follow it: subcommands and flags. */
function paths(command: Command, words: readonly string[] = []): Node[] {
  const flags = command.options
    .filter(option => !option.hidden && option.long)
    .map(option => ({ name: option.long!, description: option.description }));
  const visible = command.commands.filter(sub => !(sub as Command & { _hidden?: boolean })._hidden);
  const subs = visible.map(sub => ({ name: sub.name(), description: sub.description() }));
  return [{ words, next: [...subs, ...flags] }, ...visible.flatMap(sub => paths(sub, [...words, sub.name()]))];
}

const names = (node: Node) => node.next.map(({ name }) => name).join(' ');

/** The script to be sourced; throws Invalid for a shell that is not known. */
export function completionScript(program: Command, shell: string): string {
  const nodes = paths(program);
  if (shell === 'bash') return bash(nodes);
  if (shell === 'zsh') return zsh(nodes);
  if (shell === 'fish') return fish(nodes);
  throw invalid('shell', `"${shell}" must be bash, zsh or fish`);
}

/** The words before the cursor that are no flags choose the node. */
function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(node => `    '${node.words.join(' ')}') words='${names(node)}' ;;`).join('\n');
  return `_drover() {
  local path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _drover drover
`;
}

function zsh(nodes: readonly Node[]): string {
  const quote = (text: string) => text.replaceAll("'", "'\\''").replaceAll(':', '\\:');
  const list = (node: Node) =>
    node.next.map(({ name, description }) => `'${quote(name)}:${quote(description)}'`).join(' ');
  const cases = nodes.map(node => `    '${node.words.join(' ')}') options=(${list(node)}) ;;`).join('\n');
  return `#compdef drover
_drover() {
  local -a options
  local path='' word
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  if (( \${#options} )); then _describe 'drover' options; else _files; fi
}
compdef _drover drover
`;
}

function fish(nodes: readonly Node[]): string {
  const quote = (text: string) => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const rules = nodes.flatMap(node =>
    node.next.map(({ name, description }) => {
      const what = name.startsWith('--') ? `-l ${name.slice(2)}` : `-f -a '${quote(name)}'`;
      return `complete -c drover -n "test (__drover_path) = '${node.words.join(' ')}'" ${what} -d '${quote(description)}'`;
    }),
  );
  return `function __drover_path
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; or set -a path $word
  end
  string join ' ' $path; or echo ''
end
${rules.join('\n')}
`;
}
