/**
 * The completion scripts in the shells that they are for: what is offered at a cursor is asked of the shell itself. zsh has
 * no way to ask but its line editor, so a pseudo-terminal of its own presses Tab there.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** Answers what the shell offers for the line, its cursor at the end, one a line. */
type Complete = (script: string, line: string) => Promise<string>;

let home: string;
before(async () => void (home = await mkdtemp(join(tmpdir(), 'drover-completion-'))));
after(() => rm(home, { recursive: true, force: true }));

const inShell = async (shell: string, args: readonly string[]): Promise<string> => {
  const env = { PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8', TERM: 'dumb' };
  return (await run(shell, args, { env, cwd: home, timeout: 60_000 })).stdout;
};

const bash: Complete = (script, line) => {
  const code = `source "$1"
read -ra COMP_WORDS <<<"$2"; [[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _drover
if (( \${#COMPREPLY[@]} == 0 )) && [[ $(complete -p drover) == *'-o default'* ]]; then
  COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
fi
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inShell('bash', ['--norc', '-c', code, 'bash', script, line]);
};

const fish: Complete = (script, line) =>
  inShell('fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script, line]);

/**
 * The inner shell's compadd tells what it adds; what is typed ends with Tab and a key that says that all is told. The words waited for
 * are written in two pieces, so that a terminal that still echoes doesn't say them first.
 */
const zsh: Complete = async (script, line) => {
  const code = `zmodload zsh/zpty || exit 3
zpty z zsh -f -i
zpty -w z 'PS1= PS2= RPS1=; stty -echo; autoload -Uz compinit; compinit -u -D'
zpty -w z "source $1"
zpty -w z 'compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a offered; builtin compadd -O offered "$@"
  (( $#offered )) && print -rl -- "OFFER""ED "$^offered
  builtin compadd "$@"
}'
zpty -w z 'finish() { print -r -- FINI""SHED }; zle -N finish; bindkey "^X" finish; print SET""-UP'
zpty -r z seen '*SET-UP*'
zpty -w -n z "$2"$'\\t\\x18'
zpty -r z seen '*FINISHED*'
print -r -- "$seen"
zpty -d z`;
  const seen = await inShell('zsh', ['-f', '-c', code, 'zsh', script, line]);
  return [...seen.matchAll(/OFFERED (\S+)/g)].map(([, word]) => word).join('\n');
};

const offers: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['drover kub', ['kubeconfig', 'kubectl']],
  ['drover u', ['up', 'use', 'use-cluster', 'users']],
  ['drover clusters de', ['delete', 'describe']],
  ['drover cluster de', ['delete', 'describe']],
  ['drover --server users clusters i', ['import']],
  ['drover clusters describe prod --d', ['--debug']],
  ['drover kubeconfig --st', ['--static']],
  ['drover users list -o j', ['json']],
  ['drover members add prod mia --role cluster-', ['cluster-member', 'cluster-owner']],
  ['drover help tok', ['tokens']],
  ['drover completion z', ['zsh']],
  // What stands behind kubectl is kubectl's, and a file's name is for the shell to know.
  ['drover kubectl clusters de', []],
  ['drover login https://drover.example.com --ca-file known-', ['known-file.pem']],
];

for (const [shell, complete] of Object.entries({ bash, fish, zsh })) {
  const there = await run(shell, ['-c', 'exit 0']).then(
    () => true,
    () => false,
  );
  describe(`in ${shell}`, { skip: there ? false : `${shell} is not installed` }, () => {
    let script: string;
    before(async () => {
      script = join(home, `completion.${shell}`);
      await writeFile(script, (await run(process.execPath, [main, 'completion', shell])).stdout);
      await writeFile(join(home, 'known-file.pem'), '');
    });
    for (const [line, offered] of offers) {
      test(`"${line}" offers ${offered.join(', ') || 'nothing'}`, async () => {
        const words = (await complete(script, line)).split('\n').map(text => text.split('\t')[0]!.trim());
        assert.deepEqual([...new Set(words.filter(Boolean))].sort(), offered);
      });
    }
  });
}
