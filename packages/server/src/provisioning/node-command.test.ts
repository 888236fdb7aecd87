/** What runs on hosts as it is: the script of the node command, and what puts back an agent that does not connect. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import type { AgentArchive } from './agent-archives.ts';
import { installScript, trialScript } from './node-command.ts';

const run = promisify(execFile);
const dir = await mkdtemp(join(tmpdir(), 'drover-trial-'));
after(() => rm(dir, { recursive: true }));

const archive = { arch: 'amd64', id: 'abc', layers: ['a'.repeat(64)] } as unknown as AgentArchive;

test('the script that installs an agent is one that a shell reads', async () => {
  await writeFile(join(dir, 'install.sh'), installScript([archive]));
  await run('sh', ['-n', join(dir, 'install.sh')]);
});

async function onTrial(name: string): Promise<{ readonly base: string; start(): Promise<string> }> {
  const base = join(dir, name);
  for (const agent of ['old', 'new']) await mkdir(join(base, agent), { recursive: true });
  await symlink('new', join(base, 'current'));
  await symlink('old', join(base, 'previous'));
  const path = join(base, 'trial.sh');
  await writeFile(path, trialScript(base));
  return {
    base,
    async start() {
      await run('sh', [path]);
      return readlink(join(base, 'current'));
    },
  };
}

test('an agent that was started five times and did not connect is followed by the one before it', async () => {
  const { base, start } = await onTrial('crashes');
  const seen = [];
  for (let round = 0; round < 8; round++) seen.push(await start());
  assert.deepEqual(seen, ['new', 'new', 'new', 'new', 'new', 'old', 'old', 'old']);
  assert.equal(await readFile(join(base, 'refused'), 'utf8'), 'new\n');
  await assert.rejects(readlink(join(base, 'previous')));
});

test('one that has been on trial for minutes is, too; one that was confirmed stays', async () => {
  const late = await onTrial('late');
  assert.equal(await late.start(), 'new');
  await run('touch', ['--no-dereference', '--date', '6 minutes ago', join(late.base, 'previous')]);
  assert.equal(await late.start(), 'old');
  const confirmed = await onTrial('confirmed');
  await rm(join(confirmed.base, 'previous'));
  for (let round = 0; round < 8; round++) assert.equal(await confirmed.start(), 'new');
});
